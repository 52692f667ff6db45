//! The API over stores in memory, asked by HTTP without a socket.

use std::path::Path;
use std::sync::Arc;

use actix_web::App;
use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_RANGE, CONTENT_TYPE, LINK, LOCATION, RANGE};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{Data, to};
use zas_blobs::MemoryBlobs;
use zas_config::Configuration;
use zas_core::{Clock, Digest, Holder, MediaType, SystemClock, SystemIds};
use zas_metadata::{CommitManifest, MemoryMetadata, MetadataStore, Origin, Retyping, Timing};

use super::{OciApi, dispatch};
use crate::services::auth::Access;
use crate::services::registry::{Registry, RegistryParts, RegistrySettings};

struct Api {
    metadata: Arc<dyn MetadataStore>,
    api: Data<OciApi>,
}

impl Api {
    /// An API under these access rules.
    fn new(rules: &str) -> Self {
        let text = format!("configVersion: 1\naccessControl:\n  repositories: {{ {rules} }}\n");
        let configuration = Configuration::parse(Path::new("test.yaml"), &text).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let timing = Timing {
            grace: configuration.collection.grace.into(),
            doom_delay: configuration.collection.doom_delay.into(),
        };
        let metadata: Arc<dyn MetadataStore> = Arc::new(MemoryMetadata::new(Arc::clone(&clock), timing));
        let parts = RegistryParts {
            metadata: Arc::clone(&metadata),
            blobs: Arc::new(MemoryBlobs::new()),
            clock: Arc::clone(&clock),
            ids: Arc::new(SystemIds::default()),
        };
        let settings = RegistrySettings {
            registry: configuration.registry.clone(),
            ..RegistrySettings::in_test()
        };
        let registry = Registry::new(parts, settings, 1 << 20);
        let access = Arc::new(Access::new(&configuration, clock).unwrap());
        Self {
            metadata,
            api: Data::new(OciApi::new(registry, None, access, &configuration)),
        }
    }

    async fn send(&self, request: TestRequest) -> ServiceResponse<BoxBody> {
        let app = App::new()
            .app_data(self.api.clone())
            .default_service(to(dispatch));
        let service = init_service(app).await;
        call_service(&service, request.to_request()).await
    }

    async fn get(&self, path: &str) -> ServiceResponse<BoxBody> {
        self.send(TestRequest::get().uri(path)).await
    }

    /// Makes a repository with an empty manifest.
    async fn make(&self, name: &str) {
        let body = bytes::Bytes::from_static(b"{}");
        let manifest = CommitManifest {
            holder: Holder::Repository(name.parse().unwrap()),
            digest: Digest::sha256_of(&body),
            media_type: MediaType::OCI_INDEX.parse().unwrap(),
            body,
            references: Vec::new(),
            subject: None,
            retyping: Retyping::Allowed,
            tags: Vec::new(),
        };
        let origin = Origin {
            operation: [0; 16],
            actor: String::new(),
        };
        self.metadata.commit_manifest(&origin, manifest).await.unwrap();
    }
}

fn header<'a>(response: &'a ServiceResponse<BoxBody>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn body(response: ServiceResponse<BoxBody>) -> String {
    let body = to_bytes(response.into_body()).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The address in a `Link` header.
fn next_page(response: &ServiceResponse<BoxBody>) -> Option<String> {
    let link = header(response, LINK.as_str())?;
    let address = link.strip_prefix('<')?.split('>').next()?;
    Some(address.to_owned())
}

#[actix_web::test]
async fn given_many_hidden_repositories_when_listed_then_pages_are_short_and_no_link_tells_a_name() {
    // Given more hidden repositories than one page looks at, between two that may be seen.
    let api = Api::new(r#""hidden/**": {}, "**": { anonymousPolicy: [read] }"#);
    api.make("a").await;
    api.make("z").await;
    for number in 0..9_000 {
        api.make(&format!("hidden/n{number:05}")).await;
    }
    // When
    let (mut path, mut names, mut pages) = ("/v2/_catalog?n=2".to_owned(), String::new(), 0);
    loop {
        let response = api.get(&path).await;
        assert_eq!(response.status(), StatusCode::OK);
        let next = next_page(&response);
        names += &body(response).await;
        pages += 1;
        let Some(next) = next else { break };
        assert!(!next.contains("hidden"), "{next}");
        path = next;
    }
    // Then
    assert_eq!(
        names,
        r#"{"repositories":["a"]}{"repositories":[]}{"repositories":["z"]}"#
    );
    assert_eq!(pages, 3);
    // A position that cannot be opened loses nothing: the listing goes on after the last name shown.
    let response = api.get("/v2/_catalog?n=1&last=a&cursor=bm9uc2Vuc2U").await;
    assert!(next_page(&response).is_some_and(|next| next.contains("last=a&cursor=")));
}

#[actix_web::test]
async fn given_exactly_as_many_readable_repositories_as_asked_when_listed_then_there_is_no_link() {
    let api = Api::new(r#""hidden/**": {}, "**": { anonymousPolicy: [read] }"#);
    for name in ["a", "b", "c"] {
        api.make(name).await;
    }
    for number in 0..500 {
        api.make(&format!("hidden/n{number}")).await;
    }
    for (query, link) in [
        ("n=3", None),
        ("n=4", None),
        ("n=", None),
        ("n=2", Some("/v2/_catalog?n=2&last=b")),
    ] {
        let response = api.get(&format!("/v2/_catalog?{query}")).await;
        assert_eq!(response.status(), StatusCode::OK, "{query}");
        assert_eq!(next_page(&response).as_deref(), link, "{query}");
    }
}

#[actix_web::test]
async fn given_sources_that_cannot_be_when_mounted_from_then_an_upload_starts() {
    let api = Api::new(r#""**": { anonymousPolicy: [read, create] }"#);
    let digest = Digest::sha256_of(b"x");
    let long = "a".repeat(300);
    let mut queries: Vec<String> = ["UPPER", "-bad-", "..", "%00", "%ff", &long]
        .iter()
        .map(|from| format!("mount={digest}&from={from}"))
        .collect();
    queries.push("mount=blake3:x&from=a/b".to_owned());
    queries.push("mount=md5:d41d8cd98f00b204e9800998ecf8427e".to_owned());
    for query in queries {
        let path = format!("/v2/a/b/blobs/uploads/?{query}");
        let response = api.send(TestRequest::post().uri(&path)).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{query}");
        assert!(header(&response, LOCATION.as_str()).is_some(), "{query}");
    }
    let path = "/v2/a/b/blobs/uploads/?mount=sha256:abc&from=a/c";
    let response = api.send(TestRequest::post().uri(path)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn given_a_chunk_that_was_sent_before_when_refused_then_the_answer_says_where_to_go_on() {
    let api = Api::new(r#""**": { anonymousPolicy: [read, create] }"#);
    let path = "/v2/a/b/blobs/uploads/?digest-algorithm=sha512";
    let started = api.send(TestRequest::post().uri(path)).await;
    let location = header(&started, LOCATION.as_str()).unwrap().to_owned();
    let chunk = || {
        let request = TestRequest::patch().uri(&location).set_payload("0123");
        request.insert_header((CONTENT_RANGE, "0-3"))
    };
    assert_eq!(api.send(chunk()).await.status(), StatusCode::ACCEPTED);

    let closing = format!("{location}&digest={}", Digest::sha256_of(b"01230123"));
    let close = TestRequest::put().uri(&closing).set_payload("0123");
    let close = close.insert_header((CONTENT_RANGE, "0-3"));
    for refused in [api.send(chunk()).await, api.send(close).await] {
        assert_eq!(refused.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(header(&refused, LOCATION.as_str()), Some(location.as_str()));
        assert_eq!(header(&refused, RANGE.as_str()), Some("0-3"));
    }
}

#[actix_web::test]
async fn given_a_digest_that_several_tags_share_when_deleted_by_who_detects_collisions_then_409() {
    let api = Api::new(
        r#""**": { anonymousPolicy: [read, create, delete, detectManifestCollision] },
           "free/**": { anonymousPolicy: [read, create, delete] }"#,
    );
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let digest = Digest::sha256_of(index.as_bytes());
    for (name, status) in [
        ("kept/app", StatusCode::CONFLICT),
        ("free/app", StatusCode::ACCEPTED),
    ] {
        for tag in ["v1", "v2"] {
            let push = TestRequest::put().uri(&format!("/v2/{name}/manifests/{tag}"));
            let push = push.insert_header((CONTENT_TYPE, MediaType::OCI_INDEX));
            let pushed = api.send(push.set_payload(index)).await;
            assert_eq!(pushed.status(), StatusCode::CREATED);
        }
        let path = format!("/v2/{name}/manifests/{digest}");
        let deleted = api.send(TestRequest::delete().uri(&path)).await;
        assert_eq!(deleted.status(), status, "{name}");
    }
    // One tag less, and the digest is nobody else's.
    for reference in ["v2", &digest.to_string()] {
        let path = format!("/v2/kept/app/manifests/{reference}");
        let deleted = api.send(TestRequest::delete().uri(&path)).await;
        assert_eq!(deleted.status(), StatusCode::ACCEPTED, "{reference}");
    }
}
