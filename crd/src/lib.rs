//! The Kubernetes API of Zot Artifact Store: types, schema and rules, nothing else.
//!
//! One kind, `ZotArtifactStore` (`zas` for short). [`artifact_store`] has its root, [`spec`] one file per group of
//! fields, [`status`] what the operator reports, [`conditions`] the condition types and reasons, [`definition`] what is
//! installed in a cluster, and [`reference`] its documentation. A doc comment on
//! a field is what `kubectl explain` prints.
//!
//! Fields with a schema default are stored with it and therefore never change their default; every other field is an
//! `Option` or an empty list, and the operator resolves it without writing it back.

#![expect(
    unreachable_pub,
    reason = "KubeSchema copies each struct with its visibility into a function"
)]

pub mod artifact_store;
pub mod conditions;
pub mod definition;
mod grammar;
pub mod reference;
mod schema;
pub mod spec;
pub mod status;

pub use artifact_store::{
    API_VERSION, CRD_NAME, DeletionPolicy, GROUP, KIND, PLURAL, UpdatePolicy, VERSION, ZotArtifactStore,
    ZotArtifactStoreSpec,
};
pub use conditions::{ConditionReason, ConditionStatus, ConditionType};
pub use spec::access::{
    Access, AccessControl, Action, AdminPolicy, AnonymousAccess, RepositoryPolicy, RepositoryRule, UserGroup,
};
pub use spec::data_volume::{AccessMode, DataVolume};
pub use spec::exposure::{
    Exposure, ExternalTrafficPolicy, IngressExposure, IpFamilyPolicy, RouteExposure, RouteTermination,
    ServiceExposure, ServiceType,
};
pub use spec::extensions::{Extensions, Metrics};
pub use spec::http::{Cors, Http};
pub use spec::image::{Image, ImagePullPolicy, PullSecretRef};
pub use spec::limits::Limits;
pub use spec::logging::{LogFormat, LogLevel, Logging};
pub use spec::maintenance::{GarbageCollection, Maintenance};
pub use spec::metadata_store::{MetadataStore, MetadataStoreType};
pub use spec::monitoring::{Monitoring, PrometheusRuleSettings, ServiceMonitorSettings};
pub use spec::network::{Network, NetworkPolicySettings, Proxy};
pub use spec::pod::{PodSettings, ProbeTimings, Probes};
pub use spec::references::{ConfigMapKeyRef, SecretKeyRef, SecretRef};
pub use spec::service_account::ServiceAccountSettings;
pub use spec::storage::{Storage, StorageType};
pub use spec::tls::{Tls, TlsType};
pub use spec::values::{Size, TimeSpan, ValueError};
pub use spec::volumes::{ExtraVolume, ExtraVolumeMount};
pub use status::{DataVolumeStatus, Endpoint, EndpointScope, ZotArtifactStoreStatus};
