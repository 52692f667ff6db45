//! How request paths are read. For the fuzz targets alone.

use super::path::OciPath;

/// What a request path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    /// The path with its variable parts replaced.
    pub template: &'static str,
    /// The repository that it names.
    pub repository: Option<String>,
    /// The one spelling of the path that needs no decoding.
    pub canonical: String,
}

/// Reads a path as it stands in the request line; `None` when it names nothing.
pub fn read_path(path: &str) -> Option<NamedPath> {
    let named = OciPath::parse(path).ok()?;
    Some(NamedPath {
        template: named.template(),
        repository: named.repository().map(ToString::to_string),
        canonical: canonical(&named),
    })
}

fn canonical(path: &OciPath) -> String {
    match path {
        OciPath::Base | OciPath::Catalog | OciPath::Extensions => path.template().to_owned(),
        OciPath::Tags(name) => format!("/v2/{name}/tags/list"),
        OciPath::Manifest(name, reference) => format!("/v2/{name}/manifests/{reference}"),
        OciPath::Blob(name, digest) => format!("/v2/{name}/blobs/{digest}"),
        OciPath::Uploads(name) => format!("/v2/{name}/blobs/uploads/"),
        OciPath::Upload(target) => format!("/v2/{}/blobs/uploads/{}", target.repository, target.id),
        OciPath::Referrers(name, digest) => format!("/v2/{name}/referrers/{digest}"),
    }
}
