//! Image manifests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::content::extend;
use crate::{Algorithm, Blob, Document, Package, media_type, random_bytes};

/// An image manifest under construction, two small layers by default.
#[derive(Clone, Debug)]
pub struct Image {
    seed: u64,
    layer_count: usize,
    layer_size: usize,
    algorithm: Algorithm,
    is_docker: bool,
    has_data: bool,
    fields: Map<String, Value>,
}

impl Image {
    /// An image whose content depends on the seed alone.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            layer_count: 2,
            layer_size: 256,
            algorithm: Algorithm::Sha256,
            is_docker: false,
            has_data: false,
            fields: Map::new(),
        }
    }

    /// How many layers.
    pub fn layers(mut self, count: usize) -> Self {
        self.layer_count = count;
        self
    }

    /// The size of each layer in bytes.
    pub fn layer_size(mut self, size: usize) -> Self {
        self.layer_size = size;
        self
    }

    /// The algorithm of every digest.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Docker's media types instead of the OCI ones.
    pub fn docker(mut self) -> Self {
        self.is_docker = true;
        self
    }

    /// Puts the content of the blobs into the descriptors too.
    pub fn with_data(mut self) -> Self {
        self.has_data = true;
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
        let layers: Vec<Blob> = (0..self.layer_count).map(|number| self.layer(number)).collect();
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "author": format!("seed {}", self.seed),
            "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|layer| &layer.digest).collect::<Vec<_>>()},
        });
        let config = Blob::digested(config.to_string(), self.algorithm);
        let (manifest_type, config_type, layer_type) = if self.is_docker {
            (
                media_type::DOCKER_MANIFEST,
                media_type::DOCKER_CONFIG,
                media_type::DOCKER_LAYER,
            )
        } else {
            (media_type::MANIFEST, media_type::CONFIG, media_type::LAYER_GZIP)
        };
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": self.describe(&config, config_type),
            "layers": layers.iter().map(|layer| self.describe(layer, layer_type)).collect::<Vec<_>>(),
        });
        extend(&mut manifest, &self.fields);
        let manifest = Document::new(&manifest, manifest_type, self.algorithm);
        let mut blobs = layers;
        blobs.push(config);
        Package { manifest, blobs }
    }

    fn layer(&self, number: usize) -> Blob {
        let seed = self.seed.wrapping_mul(1_000).wrapping_add(number as u64);
        Blob::digested(random_bytes(seed, self.layer_size), self.algorithm)
    }

    fn describe(&self, blob: &Blob, media_type: &str) -> Value {
        let mut descriptor = blob.descriptor(media_type);
        if self.has_data {
            let data = STANDARD.encode(&blob.bytes);
            extend(
                &mut descriptor,
                &Map::from_iter([("data".to_owned(), Value::String(data))]),
            );
        }
        descriptor
    }
}
