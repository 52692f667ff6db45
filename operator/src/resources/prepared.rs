//! An object ready to be applied.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde::Serialize;
use serde_json::Value;

use crate::children::{ChildKey, ChildKind};
use crate::store::ResolvedStore;
use crate::{hash, labels};

/// An object ready to be applied: only what the operator owns, and its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// Kind and name.
    pub key: ChildKey,
    /// The object as JSON, with `apiVersion`, `kind` and `metadata`.
    pub object: Value,
    /// Hash of the object.
    pub hash: [u8; 32],
}

impl Prepared {
    /// Takes an object as the operator wants it.
    pub fn new(kind: ChildKind, object: &impl Serialize) -> Self {
        // These types hold nothing that JSON cannot say; an empty object would be refused by the API server.
        let mut object = serde_json::to_value(object).unwrap_or_default();
        if let Value::Object(fields) = &mut object {
            let resource = kind.resource();
            fields.insert("apiVersion".to_owned(), resource.api_version.into());
            fields.insert("kind".to_owned(), resource.kind.into());
        }
        let object = hash::canonical(object);
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        Self {
            key: ChildKey {
                kind,
                name: name.unwrap_or_default().to_owned(),
            },
            hash: hash::of(object.to_string().as_bytes()),
            object,
        }
    }

    /// Labels that the operator owns.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.texts("/metadata/labels")
    }

    /// Annotations that the operator owns.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        self.texts("/metadata/annotations")
    }

    fn texts(&self, pointer: &str) -> BTreeMap<String, String> {
        let texts = self.object.pointer(pointer).and_then(Value::as_object);
        texts
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    }
}

/// The metadata of an object of this store.
pub fn metadata(store: &ResolvedStore, name: impl Into<String>, owner: Option<OwnerReference>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        namespace: Some(store.key.namespace.clone()),
        labels: Some(labels::of(&store.key.name)),
        owner_references: owner.map(|owner| vec![owner]),
        ..ObjectMeta::default()
    }
}
