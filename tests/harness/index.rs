//! Indexes: lists of manifests.

use serde_json::{Map, Value, json};

use crate::content::extend;
use crate::{Algorithm, Document, media_type};

/// An image index under construction.
#[derive(Clone, Debug, Default)]
pub struct Index {
    manifests: Vec<Value>,
    algorithm: Algorithm,
    is_docker: bool,
    fields: Map<String, Value>,
}

impl Index {
    /// An index without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a manifest.
    pub fn manifest(self, document: &Document) -> Self {
        self.entry(document.descriptor())
    }

    /// Adds a manifest for a platform.
    pub fn platform(self, document: &Document, architecture: &str) -> Self {
        let mut descriptor = document.descriptor();
        let platform = json!({"os": "linux", "architecture": architecture});
        extend(
            &mut descriptor,
            &Map::from_iter([("platform".to_owned(), platform)]),
        );
        self.entry(descriptor)
    }

    /// Adds any descriptor.
    pub fn entry(mut self, descriptor: Value) -> Self {
        self.manifests.push(descriptor);
        self
    }

    /// The algorithm of the index's own digest.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Docker's manifest list.
    pub fn docker(mut self) -> Self {
        self.is_docker = true;
        self
    }

    /// Any further field; it replaces one of the same name.
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// The finished document.
    pub fn build(self) -> Document {
        let own_type = if self.is_docker {
            media_type::DOCKER_LIST
        } else {
            media_type::INDEX
        };
        let mut index = json!({"schemaVersion": 2, "mediaType": own_type, "manifests": self.manifests});
        extend(&mut index, &self.fields);
        Document::new(&index, own_type, self.algorithm)
    }
}
