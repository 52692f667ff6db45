//! The kinds that tests speak of.

use kube::core::{ApiResource, GroupVersionKind};

/// A kind by API group, version and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind(&'static str, &'static str, pub(crate) &'static str);

pub(crate) const STORE: Kind = Kind("zot.candlekeep.io", "v1alpha1", "ZotArtifactStore");
pub(crate) const CONFIG_MAP: Kind = Kind("", "v1", "ConfigMap");
pub(crate) const SECRET: Kind = Kind("", "v1", "Secret");
pub(crate) const SERVICE: Kind = Kind("", "v1", "Service");
pub(crate) const SERVICE_ACCOUNT: Kind = Kind("", "v1", "ServiceAccount");
pub(crate) const CLAIM: Kind = Kind("", "v1", "PersistentVolumeClaim");
pub(crate) const DEPLOYMENT: Kind = Kind("apps", "v1", "Deployment");
pub(crate) const REPLICA_SET: Kind = Kind("apps", "v1", "ReplicaSet");
pub(crate) const NETWORK_POLICY: Kind = Kind("networking.k8s.io", "v1", "NetworkPolicy");
pub(crate) const INGRESS: Kind = Kind("networking.k8s.io", "v1", "Ingress");
pub(crate) const EVENT: Kind = Kind("events.k8s.io", "v1", "Event");
pub(crate) const ROUTE: Kind = Kind("route.openshift.io", "v1", "Route");
pub(crate) const SERVICE_MONITOR: Kind = Kind("monitoring.coreos.com", "v1", "ServiceMonitor");
pub(crate) const PROMETHEUS_RULE: Kind = Kind("monitoring.coreos.com", "v1", "PrometheusRule");

/// What the operator makes in every cluster.
pub(crate) const ALWAYS_SERVED: [Kind; 8] = [
    SERVICE_ACCOUNT,
    CONFIG_MAP,
    SECRET,
    CLAIM,
    SERVICE,
    NETWORK_POLICY,
    DEPLOYMENT,
    INGRESS,
];

impl Kind {
    pub(crate) fn resource(self) -> ApiResource {
        ApiResource::from_gvk(&GroupVersionKind::gvk(self.0, self.1, self.2))
    }

    pub(crate) fn api_version(self) -> String {
        self.resource().api_version
    }
}
