//! The root of the kind: identity, columns, the groups of `spec` and the rules that span groups.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::access::Access;
use crate::spec::data_volume::DataVolume;
use crate::spec::exposure::Exposure;
use crate::spec::extensions::Extensions;
use crate::spec::http::Http;
use crate::spec::image::Image;
use crate::spec::limits::Limits;
use crate::spec::logging::Logging;
use crate::spec::maintenance::Maintenance;
use crate::spec::metadata_store::MetadataStore;
use crate::spec::monitoring::Monitoring;
use crate::spec::network::Network;
use crate::spec::pod::PodSettings;
use crate::spec::service_account::ServiceAccountSettings;
use crate::spec::storage::Storage;
use crate::spec::tls::Tls;
use crate::status::ZotArtifactStoreStatus;

/// The API group.
pub const GROUP: &str = "zot.candlekeep.io";
/// The version of the API.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of every object.
pub const API_VERSION: &str = "zot.candlekeep.io/v1alpha1";
/// `kind` of every object.
pub const KIND: &str = "ZotArtifactStore";
/// The name of the resource in URLs and in roles.
pub const PLURAL: &str = "zotartifactstores";
/// `metadata.name` of the definition.
pub const CRD_NAME: &str = "zotartifactstores.zot.candlekeep.io";

/// What the store should be. Everything is optional: `spec: {}` runs one server with files on a claim.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "zot.candlekeep.io",
    version = "v1alpha1",
    kind = "ZotArtifactStore",
    plural = "zotartifactstores",
    shortname = "zas",
    category = "zot",
    namespaced,
    cel,
    derive = "PartialEq",
    status = "ZotArtifactStoreStatus",
    doc = "An OCI registry for container images and other artifacts, run by the Zot Artifact Store operator.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        description = "Whether the store is available, not degraded and settled.",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        description = "Why it is ready or not.",
        json_path = ".status.conditions[?(@.type=='Ready')].reason"
    ),
    printcolumn(
        name = "Available",
        type_ = "string",
        description = "Whether clients are served, perhaps not yet as the newest spec asks.",
        json_path = ".status.conditions[?(@.type=='Available')].status"
    ),
    printcolumn(
        name = "Replicas",
        type_ = "integer",
        description = "Servers that take requests.",
        json_path = ".status.readyReplicas"
    ),
    printcolumn(
        name = "Version",
        type_ = "string",
        description = "The version that the running server reports.",
        json_path = ".status.version"
    ),
    printcolumn(
        name = "URL",
        type_ = "string",
        description = "Where clients reach the store.",
        json_path = ".status.url"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = (
        "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "metadata.name must have at most 40 characters, start with a lower-case letter, and contain only lower-case letters, digits and hyphens: choose a shorter or simpler name"
    )
)]
#[x_kube(cel)]
#[x_kube(validation = (
    "!has(self.image.reference) || has(self.version)",
    "image.reference needs a version: set spec.version to the version inside image.reference"
))]
#[x_kube(validation = (
    "!has(self.exposure.route) || !has(self.exposure.route.termination) || (self.exposure.route.termination == 'edge') == (self.tls.type == 'None')",
    "exposure.route.termination does not fit spec.tls: edge needs tls.type None; reencrypt and passthrough need spec.tls with type Secret"
))]
#[x_kube(validation = (
    "!self.monitoring.serviceMonitor.enabled || self.extensions.metrics.enabled",
    "monitoring.serviceMonitor needs metrics: set extensions.metrics.enabled to true, or monitoring.serviceMonitor.enabled to false"
))]
#[serde(rename_all = "camelCase")]
pub struct ZotArtifactStoreSpec {
    /// Version of the server to run, such as 0.3.0. Default: the version that came with the operator. A change
    /// restarts the server; a version older than the data is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::Version>")]
    pub version: Option<String>,

    /// What happens when the operator comes with a newer server: Automatic restarts the store with it; Manual keeps
    /// the running version and shows the condition UpdateAvailable. Without effect when version is set.
    #[serde(default)]
    pub update_policy: UpdatePolicy,

    /// Where the image of the server comes from.
    #[serde(default)]
    pub image: Image,

    /// How many servers run: 1, or 0 to stop the store and keep its data. More than one needs shared storage, which
    /// this version does not offer.
    #[serde(default = "one_replica")]
    #[schemars(range(min = 0, max = 32))]
    #[x_kube(validation = (
        "self <= 1",
        "replicas can be 1, or 0 to stop the store: more servers need a database and a storage that they share, which this version does not have"
    ))]
    pub replicas: i32,

    /// Whether the operator leaves everything except the status untouched. The server goes on running.
    #[serde(default)]
    pub paused: bool,

    /// What happens to the claim and to generated Secrets when this object is deleted: Retain keeps them, and a new
    /// object of the same name takes them over; Delete removes them with it. An existing claim is never deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,

    /// Where the bytes of blobs and manifests are kept.
    #[serde(default)]
    pub storage: Storage,

    /// Where repositories, tags and links are kept.
    #[serde(default)]
    pub metadata_store: MetadataStore,

    /// The claim that holds the database and the files.
    #[serde(default)]
    pub data_volume: DataVolume,

    /// The listener that serves clients.
    #[serde(default)]
    pub http: Http,

    /// TLS of the server's own listener.
    #[serde(default)]
    pub tls: Tls,

    /// How clients reach the store: its Service, and a Route or an Ingress in front.
    #[serde(default)]
    pub exposure: Exposure,

    /// Who may sign in with a password, and what they may do.
    #[serde(default)]
    pub access: Access,

    /// Parts of the server that can be switched.
    #[serde(default)]
    pub extensions: Extensions,

    /// Work that the server does on its own.
    #[serde(default)]
    pub maintenance: Maintenance,

    /// What one client may ask of the server.
    #[serde(default)]
    pub limits: Limits,

    /// Objects for the monitoring of the cluster.
    #[serde(default)]
    pub monitoring: Monitoring,

    /// What the server writes about its work.
    #[serde(default)]
    pub logging: Logging,

    /// Network policy, proxy and trusted certificate authorities.
    #[serde(default)]
    pub network: Network,

    /// The ServiceAccount of the server.
    #[serde(default)]
    pub service_account: ServiceAccountSettings,

    /// The Pod of the server: resources, placement, security, probes, and additions. A change restarts the server.
    #[serde(default)]
    pub pod: PodSettings,
}

/// What happens when the operator comes with a newer server.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum UpdatePolicy {
    /// The store is restarted with it.
    #[default]
    Automatic,
    /// The running version stays until a version is stated.
    Manual,
}

/// What happens to claims and generated Secrets when the object is deleted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// They stay.
    #[default]
    Retain,
    /// They go with the object.
    Delete,
}

const fn one_replica() -> i32 {
    1
}

impl Default for ZotArtifactStoreSpec {
    fn default() -> Self {
        Self {
            version: None,
            update_policy: UpdatePolicy::default(),
            image: Image::default(),
            replicas: one_replica(),
            paused: false,
            deletion_policy: DeletionPolicy::default(),
            storage: Storage::default(),
            metadata_store: MetadataStore::default(),
            data_volume: DataVolume::default(),
            http: Http::default(),
            tls: Tls::default(),
            exposure: Exposure::default(),
            access: Access::default(),
            extensions: Extensions::default(),
            maintenance: Maintenance::default(),
            limits: Limits::default(),
            monitoring: Monitoring::default(),
            logging: Logging::default(),
            network: Network::default(),
            service_account: ServiceAccountSettings::default(),
            pod: PodSettings::default(),
        }
    }
}
