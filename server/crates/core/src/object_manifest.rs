//! The OCI manifest of an object: every object of a bucket can be pulled as an artifact.

use serde::Serialize;

use crate::{Digest, MediaType, ObjectKey};

/// The artifact type of objects.
pub const OBJECT_ARTIFACT_TYPE: &str = "application/vnd.candlekeep.zas.object.v1";

/// The content of the configuration that objects have: none.
pub const EMPTY_CONFIGURATION: &[u8] = b"{}";

const LAYER_TYPE: &str = "application/octet-stream";

/// The manifest of an object. It follows from the digest, the length and the last component of the key alone, byte for
/// byte and for ever: others refer to its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectManifest {
    /// The manifest as it is sent.
    pub body: Vec<u8>,
    /// Its digest.
    pub digest: Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u8,
    media_type: &'a str,
    artifact_type: &'a str,
    config: Configuration,
    layers: [Layer<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    media_type: &'static str,
    digest: String,
    size: u64,
    data: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Layer<'a> {
    media_type: &'static str,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Title<'a>>,
}

#[derive(Serialize)]
struct Title<'a> {
    #[serde(rename = "org.opencontainers.image.title")]
    title: &'a str,
}

impl ObjectManifest {
    /// The manifest of an object with this content under this key.
    pub fn of(content: &Digest, size: u64, key: &ObjectKey) -> Self {
        let document = Document {
            schema_version: 2,
            media_type: MediaType::OCI_MANIFEST,
            artifact_type: OBJECT_ARTIFACT_TYPE,
            config: Configuration {
                media_type: MediaType::OCI_EMPTY,
                digest: empty_configuration().to_string(),
                size: EMPTY_CONFIGURATION.len() as u64,
                data: "e30=",
            },
            layers: [Layer {
                media_type: LAYER_TYPE,
                digest: content.to_string(),
                size,
                annotations: title(key).map(|title| Title { title }),
            }],
        };
        // Numbers and texts are all there is, and those can always be written.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        Self {
            digest: Digest::sha256_of(&body),
            body,
        }
    }
}

/// The digest of [`EMPTY_CONFIGURATION`].
pub fn empty_configuration() -> Digest {
    Digest::sha256_of(EMPTY_CONFIGURATION)
}

/// The name of the file that a client makes of the object; none where a file could not have it.
fn title(key: &ObjectKey) -> Option<&str> {
    let name = key.as_str().rsplit('/').next().unwrap_or_default();
    let is_file_name = !matches!(name, "" | "." | "..") && !name.chars().any(char::is_control);
    is_file_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(key: &str) -> String {
        let key = key.parse().unwrap();
        let manifest = ObjectManifest::of(&Digest::sha256_of(b"hello"), 5, &key);
        String::from_utf8(manifest.body).unwrap()
    }

    #[test]
    fn given_an_object_when_its_manifest_is_written_then_these_bytes() {
        let expected = concat!(
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
            r#""artifactType":"application/vnd.candlekeep.zas.object.v1","#,
            r#""config":{"mediaType":"application/vnd.oci.empty.v1+json","#,
            r#""digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","#,
            r#""size":2,"data":"e30="},"#,
            r#""layers":[{"mediaType":"application/octet-stream","#,
            r#""digest":"sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","#,
            r#""size":5,"annotations":{"org.opencontainers.image.title":"model.bin"}}]}"#,
        );
        assert_eq!(manifest("models/model.bin"), expected);
    }

    #[test]
    fn given_keys_that_name_no_file_when_written_then_without_a_title() {
        for key in ["models/", "..", "a/..", ".", "a\nb"] {
            assert!(!manifest(key).contains("annotations"), "{key:?}");
        }
    }

    #[test]
    fn given_one_content_under_one_name_in_two_folders_when_written_then_one_manifest() {
        assert_eq!(manifest("a/file"), manifest("b/file"));
        assert_ne!(manifest("a/file"), manifest("a/other"));
    }
}
