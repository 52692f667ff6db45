//! The kinds of objects that the operator makes for a store.

use kube::core::ApiResource;

/// A kind of object that the operator makes. The order is the order of application: what a workload mounts comes
/// before the workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// The identity of the server's Pod.
    ServiceAccount,
    /// Configuration of the server.
    ConfigMap,
    /// Generated credentials.
    Secret,
    /// The data.
    PersistentVolumeClaim,
    /// Addresses inside the cluster.
    Service,
    /// Who may reach the server.
    NetworkPolicy,
    /// The server.
    Deployment,
    /// An address outside, by an Ingress controller.
    Ingress,
    /// An address outside, by OpenShift's router. Optional.
    Route,
    /// What the Prometheus operator scrapes. Optional.
    ServiceMonitor,
    /// Alerts. Optional.
    PrometheusRule,
}

/// How much of an object the operator keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Metadata of every object of the kind, whoever owns it: references of stores lead to them.
    EveryMetadata,
    /// Metadata of the operator's own objects.
    OwnMetadata,
    /// Metadata and a few facts of the operator's own objects.
    OwnObject,
}

impl ChildKind {
    /// All kinds, in the order of application.
    pub const ALL: [Self; 11] = [
        Self::ServiceAccount,
        Self::ConfigMap,
        Self::Secret,
        Self::PersistentVolumeClaim,
        Self::Service,
        Self::NetworkPolicy,
        Self::Deployment,
        Self::Ingress,
        Self::Route,
        Self::ServiceMonitor,
        Self::PrometheusRule,
    ];

    /// Group, version, kind and plural name.
    pub fn resource(self) -> ApiResource {
        let (group, version, plural) = self.coordinates();
        let kind = self.name().to_owned();
        let api_version = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version,
            kind,
            plural: plural.to_owned(),
        }
    }

    /// The kind as Kubernetes spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Service => "Service",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::Deployment => "Deployment",
            Self::Ingress => "Ingress",
            Self::Route => "Route",
            Self::ServiceMonitor => "ServiceMonitor",
            Self::PrometheusRule => "PrometheusRule",
        }
    }

    /// API group, version and plural name.
    pub fn coordinates(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::ServiceAccount => ("", "v1", "serviceaccounts"),
            Self::ConfigMap => ("", "v1", "configmaps"),
            Self::Secret => ("", "v1", "secrets"),
            Self::PersistentVolumeClaim => ("", "v1", "persistentvolumeclaims"),
            Self::Service => ("", "v1", "services"),
            Self::NetworkPolicy => ("networking.k8s.io", "v1", "networkpolicies"),
            Self::Deployment => ("apps", "v1", "deployments"),
            Self::Ingress => ("networking.k8s.io", "v1", "ingresses"),
            Self::Route => ("route.openshift.io", "v1", "routes"),
            Self::ServiceMonitor => ("monitoring.coreos.com", "v1", "servicemonitors"),
            Self::PrometheusRule => ("monitoring.coreos.com", "v1", "prometheusrules"),
        }
    }

    /// Whether a cluster may lack the kind.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Route | Self::ServiceMonitor | Self::PrometheusRule)
    }

    /// Whether objects of the kind hold what cannot be made again: they are never swept.
    pub fn is_data(self) -> bool {
        matches!(self, Self::Secret | Self::PersistentVolumeClaim)
    }

    /// How the kind is watched.
    pub fn watched(self) -> Watched {
        match self {
            Self::ConfigMap | Self::Secret => Watched::EveryMetadata,
            Self::Deployment | Self::PersistentVolumeClaim | Self::Service | Self::Ingress | Self::Route => {
                Watched::OwnObject
            }
            _ => Watched::OwnMetadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_order_of_application_when_compared_then_what_is_mounted_comes_before_the_workload() {
        for mounted in [
            ChildKind::ServiceAccount,
            ChildKind::ConfigMap,
            ChildKind::Secret,
            ChildKind::PersistentVolumeClaim,
        ] {
            assert!(mounted < ChildKind::Deployment, "{mounted:?}");
        }
        let mut sorted = ChildKind::ALL;
        sorted.sort_unstable();
        assert_eq!(sorted, ChildKind::ALL);
    }

    #[test]
    fn given_grouped_and_core_kinds_when_named_then_the_api_version_is_the_clusters() {
        assert_eq!(ChildKind::Service.resource().api_version, "v1");
        let route = ChildKind::Route.resource();
        assert_eq!(
            (route.api_version.as_str(), route.kind.as_str()),
            ("route.openshift.io/v1", "Route")
        );
    }
}
