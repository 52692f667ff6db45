//! Request paths below `/v2`, read from their end because repository names contain slashes.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use zas_core::{Digest, Reference, RepositoryName, UploadId};

use super::{OciError, OciErrorCode};
use crate::services::registry::UploadTarget;

/// What a path names.
#[derive(Clone, Debug)]
pub(super) enum OciPath {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/_oci/ext/discover`
    Extensions,
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<reference>`
    Manifest(RepositoryName, Reference),
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload(UploadTarget),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
}

impl OciPath {
    /// Reads a path as it stands in the request line.
    pub(super) fn parse(path: &str) -> Result<Self, OciError> {
        let rest = path.strip_prefix("/v2").unwrap_or(path);
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        match rest {
            "" => return Ok(Self::Base),
            "_catalog" => return Ok(Self::Catalog),
            "_oci/ext/discover" => return Ok(Self::Extensions),
            _ => {}
        }
        if let Some(name) = rest
            .strip_suffix("/blobs/uploads/")
            .or_else(|| rest.strip_suffix("/blobs/uploads"))
        {
            return Ok(Self::Uploads(repository(name)?));
        }
        let (front, last) = rest.rsplit_once('/').ok_or_else(|| not_found(path))?;
        let last = decode(last)?;
        if let Some(name) = front.strip_suffix("/blobs/uploads") {
            let repository = repository(name)?;
            let id = last.parse::<UploadId>().map_err(|invalid| {
                OciError::new(
                    OciErrorCode::BlobUploadUnknown,
                    format!("upload {last:?} is not known: {invalid}"),
                )
            })?;
            return Ok(Self::Upload(UploadTarget { repository, id }));
        }
        let (name, kind) = front.rsplit_once('/').ok_or_else(|| not_found(path))?;
        match (kind, &*last) {
            ("tags", "list") => Ok(Self::Tags(repository(name)?)),
            ("manifests", reference) => Ok(Self::Manifest(repository(name)?, self::reference(reference)?)),
            ("blobs", digest) => Ok(Self::Blob(repository(name)?, self::digest(digest)?)),
            ("referrers", digest) => Ok(Self::Referrers(repository(name)?, self::digest(digest)?)),
            _ => Err(not_found(path)),
        }
    }

    /// The repository that it names.
    pub(super) fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Base | Self::Catalog | Self::Extensions => None,
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Referrers(name, _) => Some(name),
            Self::Upload(target) => Some(&target.repository),
        }
    }

    /// The path with its variable parts replaced, for metrics and logs.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Base => "/v2/",
            Self::Catalog => "/v2/_catalog",
            Self::Extensions => "/v2/_oci/ext/discover",
            Self::Tags(_) => "/v2/{name}/tags/list",
            Self::Manifest(..) => "/v2/{name}/manifests/{reference}",
            Self::Blob(..) => "/v2/{name}/blobs/{digest}",
            Self::Uploads(_) => "/v2/{name}/blobs/uploads/",
            Self::Upload(_) => "/v2/{name}/blobs/uploads/{id}",
            Self::Referrers(..) => "/v2/{name}/referrers/{digest}",
        }
    }
}

fn not_found(path: &str) -> OciError {
    OciError::new(OciErrorCode::NameUnknown, format!("no such path: {path}"))
}

/// Some clients escape the colon of a digest.
fn decode(segment: &str) -> Result<Cow<'_, str>, OciError> {
    if !segment.contains('%') {
        return Ok(Cow::Borrowed(segment));
    }
    percent_decode_str(segment).decode_utf8().map_err(|_| {
        OciError::new(
            OciErrorCode::NameInvalid,
            format!("{segment:?} is not valid UTF-8 after decoding"),
        )
    })
}

fn repository(name: &str) -> Result<RepositoryName, OciError> {
    // An escaped slash inside a name must not become a separator, so names are decoded nowhere.
    name.parse().map_err(|invalid: zas_core::InvalidRepositoryName| {
        OciError::new(OciErrorCode::NameInvalid, invalid.to_string())
    })
}

fn digest(text: &str) -> Result<Digest, OciError> {
    text.parse().map_err(|invalid: zas_core::InvalidDigest| {
        OciError::new(OciErrorCode::DigestInvalid, invalid.to_string())
    })
}

fn reference(text: &str) -> Result<Reference, OciError> {
    text.parse().map_err(|invalid: zas_core::InvalidReference| {
        let code = match invalid {
            zas_core::InvalidReference::Digest(_) => OciErrorCode::DigestInvalid,
            zas_core::InvalidReference::Tag(_) => OciErrorCode::ManifestInvalid,
        };
        OciError::new(code, invalid.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const UPLOAD: &str = "018bcfe5-6800-7707-8707-070707070707";

    fn template(path: &str) -> &'static str {
        OciPath::parse(path)
            .unwrap_or_else(|error| panic!("{path}: {error:?}"))
            .template()
    }

    #[test]
    fn given_every_kind_of_path_when_parsed_then_recognised_from_its_end() {
        assert_eq!(template("/v2/"), "/v2/");
        assert_eq!(template("/v2"), "/v2/");
        assert_eq!(template("/v2/a/b/tags/list"), "/v2/{name}/tags/list");
        assert_eq!(
            template("/v2/a/manifests/latest"),
            "/v2/{name}/manifests/{reference}"
        );
        assert_eq!(
            template("/v2/manifests/manifests/manifests"),
            "/v2/{name}/manifests/{reference}"
        );
        assert_eq!(
            template(&format!("/v2/a/blobs/{DIGEST}")),
            "/v2/{name}/blobs/{digest}"
        );
        assert_eq!(
            template(&format!("/v2/a/blobs/{}", DIGEST.replace(':', "%3A"))),
            "/v2/{name}/blobs/{digest}"
        );
        assert_eq!(template("/v2/a/blobs/uploads"), "/v2/{name}/blobs/uploads/");
        assert_eq!(
            template("/v2/blobs/uploads/blobs/uploads/"),
            "/v2/{name}/blobs/uploads/"
        );
        assert_eq!(
            template(&format!("/v2/a/blobs/uploads/{UPLOAD}")),
            "/v2/{name}/blobs/uploads/{id}"
        );
        assert_eq!(
            template("/v2/a/blobs/uploads/manifests/latest"),
            "/v2/{name}/manifests/{reference}"
        );
        assert_eq!(
            template(&format!("/v2/a/referrers/{DIGEST}")),
            "/v2/{name}/referrers/{digest}"
        );
    }

    #[test]
    fn given_path_tricks_when_parsed_then_refused() {
        for path in [
            "/v2/../etc/manifests/latest",
            "/v2/a%2Fb/manifests/latest",
            "/v2/a/manifests/..",
            "/v2/a/manifests/%2e%2e",
            "/v2//manifests/latest",
            "/v2/A/manifests/latest",
            "/v2/a/manifests/%00",
            "/v2/a/blobs/uploads/..",
            "/v2/a/blobs/sha256:abc",
            "/v2/a",
            "/v2/a/",
            "/v2/a/b/c",
            "/v2/a/manifests/%ff",
            "/v2/a/tags/other",
        ] {
            assert!(OciPath::parse(path).is_err(), "{path}");
        }
    }
}
