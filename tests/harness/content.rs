//! Content to push: bytes with their digests, and manifests with what they need.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha512};

/// Media types that tests name often.
pub mod media_type {
    /// An OCI image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An OCI image index.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An OCI image config.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// An OCI layer.
    pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    /// A compressed OCI layer.
    pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// A layer that registries may lack.
    pub const NON_DISTRIBUTABLE: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    /// The empty JSON object.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// A Docker image manifest, version 2 schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// A Docker manifest list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// A Docker image config.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// A Docker layer.
    pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
}

/// Bytes that depend on the seed alone.
pub fn random_bytes(seed: u64, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

/// A digest algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name in front of the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The digest of `bytes` as text.
    pub fn digest(self, bytes: &[u8]) -> String {
        let hash = match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        };
        let encoded: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}:{encoded}", self.name())
    }
}

/// Bytes with their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The content.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: String,
}

impl Blob {
    /// A blob known by its SHA-256.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self::digested(bytes, Algorithm::Sha256)
    }

    /// A blob known by the digest of this algorithm.
    pub fn digested(bytes: impl Into<Vec<u8>>, algorithm: Algorithm) -> Self {
        let bytes = bytes.into();
        Self {
            digest: algorithm.digest(&bytes),
            bytes,
        }
    }

    /// Random bytes of this seed and size.
    pub fn random(seed: u64, size: usize) -> Self {
        Self::new(random_bytes(seed, size))
    }

    /// A descriptor of this blob.
    pub fn descriptor(&self, media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": self.digest, "size": self.bytes.len()})
    }
}

/// The bytes of a manifest or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Exactly what is pushed.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
}

impl Document {
    /// The document as these JSON bytes.
    pub fn new(content: &Value, media_type: &str, algorithm: Algorithm) -> Self {
        let bytes = content.to_string().into_bytes();
        Self {
            digest: algorithm.digest(&bytes),
            bytes,
            media_type: media_type.to_owned(),
        }
    }

    /// A descriptor of this document.
    pub fn descriptor(&self) -> Value {
        json!({"mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len()})
    }

    /// The document as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("documents are built from JSON")
    }
}

/// A manifest with the blobs it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The manifest.
    pub manifest: Document,
    /// Its config and layers, each once.
    pub blobs: Vec<Blob>,
}

/// Adds fields to an object; they replace those of the same name.
pub(crate) fn extend(object: &mut Value, fields: &Map<String, Value>) {
    if let Some(own) = object.as_object_mut() {
        own.extend(fields.clone());
    }
}
