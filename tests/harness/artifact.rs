//! Artifacts: image manifests that carry no image.

use serde_json::{Map, Value, json};

use crate::content::extend;
use crate::{Algorithm, Blob, Document, Package, media_type, random_bytes};

/// An image manifest that carries something other than an image: an artifact type, the empty config, one payload.
#[derive(Clone, Debug)]
pub struct Artifact {
    artifact_type: String,
    payload: Vec<u8>,
    payload_type: String,
    algorithm: Algorithm,
    fields: Map<String, Value>,
}

impl Artifact {
    /// An artifact with a payload that depends on the seed alone.
    pub fn new(artifact_type: &str, seed: u64) -> Self {
        Self {
            artifact_type: artifact_type.to_owned(),
            payload: random_bytes(seed, 200),
            payload_type: "application/octet-stream".to_owned(),
            algorithm: Algorithm::Sha256,
            fields: Map::new(),
        }
    }

    /// Another payload.
    pub fn payload(mut self, bytes: &[u8], media_type: &str) -> Self {
        bytes.clone_into(&mut self.payload);
        media_type.clone_into(&mut self.payload_type);
        self
    }

    /// The algorithm of every digest.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Refers to a subject.
    pub fn subject(self, descriptor: &Value) -> Self {
        self.field("subject", descriptor.clone())
    }

    /// The annotations.
    pub fn annotations(self, annotations: Value) -> Self {
        self.field("annotations", annotations)
    }

    /// Any further field of the manifest; it replaces one of the same name.
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// The manifest and its blobs.
    pub fn build(self) -> Package {
        let config = Blob::digested(*b"{}", self.algorithm);
        let payload = Blob::digested(self.payload, self.algorithm);
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::MANIFEST,
            "artifactType": self.artifact_type,
            "config": config.descriptor(media_type::EMPTY),
            "layers": [payload.descriptor(&self.payload_type)],
        });
        extend(&mut manifest, &self.fields);
        let manifest = Document::new(&manifest, media_type::MANIFEST, self.algorithm);
        let blobs = if payload == config {
            vec![config]
        } else {
            vec![config, payload]
        };
        Package { manifest, blobs }
    }
}
