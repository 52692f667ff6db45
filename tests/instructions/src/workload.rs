//! What callgrind watches: a server is prepared, then answers a number of equal requests one after the other.

use actix_http::Request;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use anyhow::{Context, Result, ensure};
use zas_core::Digest;

use crate::hot_path::HotPath;
use crate::server::{self, Server};

const REPOSITORY: &str = "library/counted";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const TAGS: u64 = 10_000;
const TAGS_PER_PUSH: u64 = 1000;
const REPOSITORIES: u64 = 1000;
const PAGE: u64 = 100;
const SMALL: usize = 1024;

/// Prepares a server and sends it so many requests.
///
/// # Errors
/// An answer that is not the expected one: a wrong answer has no cost.
pub(crate) fn run(path: HotPath, requests: u64) -> Result<()> {
    // A worker of the server is such a runtime too; blocking work has threads of its own.
    actix_web::rt::System::new().block_on(async {
        let workload = Workload {
            server: server::start().await?,
        };
        workload.serve(path, requests).await
    })
}

struct Workload<S> {
    server: Server<S>,
}

impl<S, B> Workload<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    async fn serve(&self, path: HotPath, requests: u64) -> Result<()> {
        match path {
            HotPath::ManifestByDigest => {
                let manifest = self.push_image("latest").await?;
                let path = format!("/v2/{REPOSITORY}/manifests/{}", Digest::sha256_of(&manifest));
                self.get(requests, |_| path.clone(), |body| *body == manifest)
                    .await
            }
            HotPath::ManifestByTag => {
                let index = self.push_tags().await?;
                let path = |number| format!("/v2/{REPOSITORY}/manifests/{}", tag(number * 13 % TAGS));
                self.get(requests, path, |body| *body == index).await
            }
            HotPath::BlobHead => {
                let digest = self.push(&content(0)).await?;
                for _ in 0..requests {
                    let head = TestRequest::with_uri(&format!("/v2/{REPOSITORY}/blobs/{digest}"));
                    let head = head.method(actix_web::http::Method::HEAD);
                    self.server.expect(StatusCode::OK, head, Bytes::new()).await?;
                }
                Ok(())
            }
            HotPath::SmallPush => {
                for number in 0..requests {
                    self.push_in_two(&content(number)).await?;
                }
                Ok(())
            }
            HotPath::SmallPushMonolithic => {
                for number in 0..requests {
                    self.push(&content(number)).await?;
                }
                Ok(())
            }
            HotPath::ManifestPut => self.put_manifests(requests).await,
            HotPath::TagPage => {
                self.push_tags().await?;
                let path = |number| {
                    let last = tag(number * 13 % (TAGS - PAGE - 1));
                    format!("/v2/{REPOSITORY}/tags/list?n={PAGE}&last={last}")
                };
                self.get(requests, path, |body| entries(body) == PAGE + 3).await
            }
            HotPath::CatalogPage => {
                for number in 0..REPOSITORIES {
                    let path = format!("/v2/{}/manifests/latest", repository(number));
                    self.put(&path, INDEX, index(0)).await?;
                }
                let path = |number| {
                    let last = repository(number * 13 % (REPOSITORIES - PAGE - 1));
                    format!("/v2/_catalog?n={PAGE}&last={last}")
                };
                self.get(requests, path, |body| entries(body) == PAGE + 1).await
            }
        }
    }

    async fn get(
        &self,
        requests: u64,
        path: impl Fn(u64) -> String,
        is_right: impl Fn(&Bytes) -> bool,
    ) -> Result<()> {
        for number in 0..requests {
            let request = TestRequest::with_uri(&path(number)).insert_header(("accept", MANIFEST));
            let answer = self.server.expect(StatusCode::OK, request, Bytes::new()).await?;
            ensure!(
                is_right(&answer.body),
                "another answer than expected: {:?}",
                answer.body
            );
        }
        Ok(())
    }

    async fn put(&self, path: &str, media_type: &str, body: Bytes) -> Result<()> {
        let request = TestRequest::put()
            .uri(path)
            .insert_header((CONTENT_TYPE, media_type));
        self.server.expect(StatusCode::CREATED, request, body).await?;
        Ok(())
    }

    async fn push(&self, content: &Bytes) -> Result<Digest> {
        let digest = Digest::sha256_of(content);
        let path = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
        let request = TestRequest::post().uri(&path);
        self.server
            .expect(StatusCode::CREATED, request, content.clone())
            .await?;
        Ok(digest)
    }

    async fn push_in_two(&self, content: &Bytes) -> Result<()> {
        let digest = Digest::sha256_of(content);
        let start = TestRequest::post().uri(&format!("/v2/{REPOSITORY}/blobs/uploads/"));
        let started = self
            .server
            .expect(StatusCode::ACCEPTED, start, Bytes::new())
            .await?;
        let location = started.location.context("the answer to POST has no Location")?;
        let finish = TestRequest::put().uri(&format!("{location}?digest={digest}"));
        self.server
            .expect(StatusCode::CREATED, finish, content.clone())
            .await?;
        Ok(())
    }

    async fn push_image(&self, tag: &str) -> Result<Bytes> {
        let layer = content(0);
        let digest = self.push(&layer).await?;
        let manifest = image(&digest, 0);
        let path = format!("/v2/{REPOSITORY}/manifests/{tag}");
        self.put(&path, MANIFEST, manifest.clone()).await?;
        Ok(manifest)
    }

    async fn put_manifests(&self, requests: u64) -> Result<()> {
        let digest = self.push(&content(0)).await?;
        for number in 0..requests {
            let path = format!("/v2/{REPOSITORY}/manifests/{}", tag(number));
            self.put(&path, MANIFEST, image(&digest, number)).await?;
        }
        Ok(())
    }

    /// Many tags on one manifest, which is returned.
    async fn push_tags(&self) -> Result<Bytes> {
        let index = index(0);
        let digest = Digest::sha256_of(&index);
        for first in (0..TAGS).step_by(TAGS_PER_PUSH as usize) {
            let tags: Vec<String> = (first..first + TAGS_PER_PUSH)
                .map(|number| format!("tag={}", tag(number)))
                .collect();
            let path = format!("/v2/{REPOSITORY}/manifests/{digest}?{}", tags.join("&"));
            self.put(&path, INDEX, index.clone()).await?;
        }
        Ok(index)
    }
}

fn tag(number: u64) -> String {
    format!("v{number:05}")
}

fn repository(number: u64) -> String {
    format!("library/counted-{number:05}")
}

/// A blob of its own for each number.
fn content(number: u64) -> Bytes {
    let mut content = number.to_le_bytes().to_vec();
    content.resize(SMALL, 0x5a);
    content.into()
}

fn image(layer: &Digest, number: u64) -> Bytes {
    let descriptor = |kind| {
        format!(r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{layer}","size":{SMALL}}}"#)
    };
    let (config, layer) = (descriptor("config.v1+json"), descriptor("layer.v1.tar"));
    let note = format!(r#"{{"org.opencontainers.image.version":"{number:08}"}}"#);
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{layer}],"annotations":{note}}}"#
    )
    .into()
}

fn index(number: u64) -> Bytes {
    let note = format!(r#"{{"org.opencontainers.image.version":"{number:08}"}}"#);
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[],"annotations":{note}}}"#).into()
}

/// Strings in a list, and the other texts around it, that a body holds: half of its quotation marks.
fn entries(body: &[u8]) -> u64 {
    body.iter().filter(|byte| **byte == b'"').count() as u64 / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_every_path_when_worked_then_the_server_answers_as_expected() {
        // The log can be started once in a process, and so a path fails by its answers alone.
        let all = actix_web::rt::System::new().block_on(async {
            let workload = Workload {
                server: server::start().await.unwrap(),
            };
            let mut worked = 0;
            for path in HotPath::ALL {
                workload.serve(path, 3).await.unwrap();
                worked += 1;
            }
            worked
        });
        assert_eq!(all, HotPath::ALL.len());
    }
}
