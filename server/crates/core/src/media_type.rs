//! Media types (RFC 6838 section 4.2), without parameters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest media type in bytes, which keeps it fit for an index key.
const MAX_BYTES: usize = 255;

/// A media type without parameters, such as `application/vnd.oci.image.manifest.v1+json`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(Box<str>);

/// A text that is no media type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("media type {0:?} is not allowed: expected type/subtype of RFC 6838 with at most {MAX_BYTES} bytes")]
pub struct InvalidMediaType(String);

impl MediaType {
    /// An OCI image manifest.
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An OCI image index.
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// The empty JSON object.
    pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// A Docker image manifest, version 2 schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// A Docker manifest list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// The type of an image manifest.
    pub fn oci_manifest() -> Self {
        Self(Self::OCI_MANIFEST.into())
    }

    /// The media type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the value of a `Content-Type` header: parameters are dropped.
    ///
    /// # Errors
    /// [`InvalidMediaType`] when what is left is none.
    pub fn from_header(value: &str) -> Result<Self, InvalidMediaType> {
        value.split(';').next().unwrap_or_default().trim().parse()
    }

    /// Whether the bytes behind a descriptor of this type may be absent by design (image-spec, layer.md,
    /// "Non-Distributable Layers"; Docker's foreign layers).
    pub fn is_non_distributable(&self) -> bool {
        self.0
            .starts_with("application/vnd.oci.image.layer.nondistributable.")
            || &*self.0 == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    }

    /// Whether a descriptor of this type names a manifest.
    pub fn is_manifest(&self) -> bool {
        matches!(
            &*self.0,
            Self::OCI_MANIFEST | Self::OCI_INDEX | Self::DOCKER_MANIFEST | Self::DOCKER_LIST
        )
    }
}

impl FromStr for MediaType {
    type Err = InvalidMediaType;

    fn from_str(text: &str) -> Result<Self, InvalidMediaType> {
        let is_valid = text.len() <= MAX_BYTES
            && text
                .split_once('/')
                .is_some_and(|(kind, subtype)| is_restricted_name(kind) && is_restricted_name(subtype));
        is_valid
            .then(|| Self(text.into()))
            .ok_or_else(|| InvalidMediaType(text.chars().take(300).collect()))
    }
}

fn is_restricted_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_header_with_parameters_when_read_then_they_are_dropped() {
        let read = MediaType::from_header("application/vnd.oci.image.index.v1+json ; charset=utf-8").unwrap();
        assert_eq!(read.as_str(), MediaType::OCI_INDEX);
    }

    #[test]
    fn given_texts_that_are_no_media_type_when_parsed_then_refused() {
        let too_long = format!("a/{}", "b".repeat(254));
        for text in [
            "",
            "json",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "a b/c",
            "-a/b",
            "a/b\r\nx: y",
            &too_long,
        ] {
            assert!(text.parse::<MediaType>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn given_foreign_layers_when_asked_then_non_distributable() {
        for text in [
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        ] {
            assert!(text.parse::<MediaType>().unwrap().is_non_distributable());
        }
        assert!(
            !MediaType::OCI_MANIFEST
                .parse::<MediaType>()
                .unwrap()
                .is_non_distributable()
        );
    }
}
