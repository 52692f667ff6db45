//! What an answer shows about a repository, for the numbers that are kept of each.

use actix_web::http::{Method, StatusCode};

use super::path::OciPath;
use crate::api::observe::{ManifestTransfer, RepositoryUse};

/// The use of a repository by a request that was allowed. Refused ones use none, nor do those that were wrong before
/// anybody asked whether they are allowed.
pub(super) fn of(path: &OciPath, method: &Method, status: StatusCode) -> Option<RepositoryUse> {
    let is_allowed =
        status.is_success() || matches!(status, StatusCode::NOT_MODIFIED | StatusCode::NOT_FOUND);
    let name = path.repository().filter(|_| is_allowed)?;
    Some(RepositoryUse {
        name: name.clone(),
        is_seen: status != StatusCode::NOT_FOUND && shows_repository(path, method, status),
        transfer: transfer(path, method, status),
    })
}

/// Whether a good answer is given for repositories that exist alone.
fn shows_repository(path: &OciPath, method: &Method, status: StatusCode) -> bool {
    match path {
        OciPath::Tags(_) | OciPath::Manifest(..) | OciPath::Blob(..) => true,
        // A blob came into being; before, an upload may be all there is.
        OciPath::Uploads(_) => status == StatusCode::CREATED,
        OciPath::Upload(_) => *method == Method::PUT,
        // What is not there has no referrers, which is an answer too.
        OciPath::Referrers(..) | OciPath::Base | OciPath::Catalog | OciPath::Extensions => false,
    }
}

fn transfer(path: &OciPath, method: &Method, status: StatusCode) -> Option<ManifestTransfer> {
    match (path, method, status) {
        (OciPath::Manifest(..), &Method::GET, StatusCode::OK) => Some(ManifestTransfer::Pull),
        (OciPath::Manifest(..), &Method::PUT, StatusCode::CREATED) => Some(ManifestTransfer::Push),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const UPLOAD: &str = "018bcfe5-6800-7707-8707-070707070707";

    fn of(method: &Method, path: &str, status: StatusCode) -> Option<RepositoryUse> {
        super::of(&OciPath::parse(path).unwrap(), method, status)
    }

    #[test]
    fn given_answers_when_looked_at_then_the_repository_is_seen_only_where_it_must_exist() {
        let (blob, upload) = (
            format!("/v2/a/b/blobs/{DIGEST}"),
            format!("/v2/a/b/blobs/uploads/{UPLOAD}"),
        );
        let referrers = format!("/v2/a/b/referrers/{DIGEST}");
        let uploads = "/v2/a/b/blobs/uploads/";
        for (method, path, status, is_seen) in [
            (Method::GET, "/v2/a/b/tags/list", StatusCode::OK, true),
            (Method::GET, "/v2/a/b/tags/list", StatusCode::NOT_FOUND, false),
            (Method::HEAD, "/v2/a/b/manifests/v1", StatusCode::OK, true),
            (
                Method::GET,
                "/v2/a/b/manifests/v1",
                StatusCode::NOT_MODIFIED,
                true,
            ),
            (Method::HEAD, &blob, StatusCode::OK, true),
            (Method::HEAD, &blob, StatusCode::NOT_FOUND, false),
            (Method::GET, &blob, StatusCode::PARTIAL_CONTENT, true),
            (Method::DELETE, &blob, StatusCode::ACCEPTED, true),
            (Method::POST, uploads, StatusCode::ACCEPTED, false),
            (Method::POST, uploads, StatusCode::CREATED, true),
            (Method::PATCH, &upload, StatusCode::ACCEPTED, false),
            (Method::GET, &upload, StatusCode::NO_CONTENT, false),
            (Method::PUT, &upload, StatusCode::CREATED, true),
            (Method::GET, &referrers, StatusCode::OK, false),
        ] {
            let used = of(&method, path, status).unwrap();
            assert_eq!(used.name.as_str(), "a/b");
            assert_eq!(used.is_seen, is_seen, "{method} {path} {status}");
            assert_eq!(used.transfer, None);
        }
    }

    #[test]
    fn given_a_manifest_when_transferred_then_a_pull_or_a_push() {
        let path = "/v2/a/b/manifests/v1";
        let pulled = of(&Method::GET, path, StatusCode::OK).unwrap();
        let pushed = of(&Method::PUT, path, StatusCode::CREATED).unwrap();
        assert_eq!(
            (pulled.transfer, pushed.transfer),
            (Some(ManifestTransfer::Pull), Some(ManifestTransfer::Push))
        );
    }

    #[test]
    fn given_refusals_and_other_paths_when_looked_at_then_no_repository_is_used() {
        for status in [401, 403, 400, 405, 429, 500, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(of(&Method::GET, "/v2/a/b/tags/list", status), None);
        }
        for path in ["/v2/", "/v2/_catalog", "/v2/_oci/ext/discover"] {
            assert_eq!(of(&Method::GET, path, StatusCode::OK), None);
        }
    }
}
