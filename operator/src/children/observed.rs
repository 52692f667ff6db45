//! An object as the API server last showed it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::reflector::ObjectRef;

use super::{ChildKind, Facts};
use crate::labels;

/// A store by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl StoreKey {
    /// The reference that a controller queues.
    pub fn object_ref<K: Resource<DynamicType = ()>>(&self) -> ObjectRef<K> {
        ObjectRef::new(&self.name).within(&self.namespace)
    }
}

impl std::fmt::Display for StoreKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// An object of a namespace by kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildKey {
    /// The kind.
    pub kind: ChildKind,
    /// The name.
    pub name: String,
}

/// An object as the API server last showed it, without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Identity of this incarnation.
    pub uid: String,
    /// Grows with every change; 0 when the server's text is no number.
    pub resource_version: u64,
    /// Grows with every change of the specification; absent for kinds without.
    pub generation: Option<i64>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// All annotations.
    pub annotations: BTreeMap<String, String>,
    /// The uid of the object that controls it.
    pub controller: Option<String>,
    /// Kind and name of the object that controls it.
    pub controller_name: Option<(String, String)>,
    /// When it was created, in seconds since 1970.
    pub created: Option<i64>,
    /// Whether it is being deleted.
    pub is_leaving: bool,
    /// What else is known.
    pub facts: Facts,
}

impl Observed {
    /// What an object's metadata say.
    pub fn new(metadata: &ObjectMeta, facts: Facts) -> Self {
        let owners = metadata.owner_references.as_deref().unwrap_or_default();
        let controller = owners.iter().find(|owner| owner.controller == Some(true));
        Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            resource_version: resource_version(metadata),
            generation: metadata.generation,
            labels: metadata.labels.clone().unwrap_or_default(),
            annotations: metadata.annotations.clone().unwrap_or_default(),
            controller: controller.map(|owner| owner.uid.clone()),
            controller_name: controller.map(|owner| (owner.kind.clone(), owner.name.clone())),
            created: metadata
                .creation_timestamp
                .as_ref()
                .map(|time| time.0.as_second()),
            is_leaving: metadata.deletion_timestamp.is_some(),
            facts,
        }
    }

    /// The name of the store that it says it belongs to.
    pub fn store(&self) -> Option<&str> {
        self.labels.get(labels::STORE).map(String::as_str)
    }

    /// Whether an object of this kind and name controls it, of whatever incarnation.
    pub fn controller_is(&self, kind: &str, name: &str) -> bool {
        self.controller_name
            .as_ref()
            .is_some_and(|(of_kind, of_name)| of_kind == kind && of_name == name)
    }
}

/// The resource version as a number. Kubernetes promises since 1.35 that it is one, and that it grows.
fn resource_version(metadata: &ObjectMeta) -> u64 {
    metadata
        .resource_version
        .as_deref()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}
