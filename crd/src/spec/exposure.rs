//! `spec.exposure`: how clients reach the store.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::references::SecretRef;

/// How clients reach the store.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    /// The Service of the store, which always exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceExposure>,

    /// A Route of OpenShift. Default: one with the host that the router chooses, where the Route API exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteExposure>,

    /// An Ingress. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressExposure>,
}

/// The Service of the store.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "!(has(self.loadBalancerClass) || has(self.loadBalancerSourceRanges)) || (has(self.type) && self.type == 'LoadBalancer')",
    "loadBalancerClass and loadBalancerSourceRanges need a load balancer: set exposure.service.type to LoadBalancer, or remove them"
))]
#[x_kube(validation = (
    "!has(self.externalTrafficPolicy) || (has(self.type) && self.type != 'ClusterIP')",
    "externalTrafficPolicy needs traffic from outside: set exposure.service.type to LoadBalancer or NodePort, or remove it"
))]
#[serde(rename_all = "camelCase")]
pub struct ServiceExposure {
    /// Type of the Service. Default: ClusterIP.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<ServiceType>,

    /// Port of the Service. Default: 443 with spec.tls, else 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,

    /// Annotations of the Service, such as those of a cloud's load balancer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub annotations: BTreeMap<String, String>,

    /// Class of the load balancer. Default: the one of the cluster. Needs type LoadBalancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::LoadBalancerClass>")]
    pub load_balancer_class: Option<String>,

    /// Networks, as CIDRs, that may use the load balancer, at most 32. Default: all. Needs type LoadBalancer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<crate::grammar::Network>", length(max = 32), extend("x-kubernetes-list-type" = "set"))]
    pub load_balancer_source_ranges: Vec<String>,

    /// Whether traffic from outside goes to all nodes (Cluster) or only to the node of the Pod, which keeps the
    /// client's address (Local). Default: Cluster. Needs type LoadBalancer or NodePort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_traffic_policy: Option<ExternalTrafficPolicy>,

    /// Whether the Service has addresses of one or of both IP families. Default: PreferDualStack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_family_policy: Option<IpFamilyPolicy>,
}

/// Types of a Service; Kubernetes' own values.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ServiceType {
    /// Reachable inside the cluster.
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// Reachable on a port of every node.
    NodePort,
    /// Reachable through a load balancer.
    LoadBalancer,
}

impl ServiceType {
    /// The value as Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIp => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}

/// Which nodes take traffic from outside; Kubernetes' own values.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ExternalTrafficPolicy {
    /// All nodes.
    Cluster,
    /// The node of the Pod.
    Local,
}

impl ExternalTrafficPolicy {
    /// The value as Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::Local => "Local",
        }
    }
}

/// How many IP families a Service has; Kubernetes' own values.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum IpFamilyPolicy {
    /// One.
    SingleStack,
    /// Both where the cluster has both.
    PreferDualStack,
    /// Both, or no Service.
    RequireDualStack,
}

impl IpFamilyPolicy {
    /// The value as Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SingleStack => "SingleStack",
            Self::PreferDualStack => "PreferDualStack",
            Self::RequireDualStack => "RequireDualStack",
        }
    }
}

/// A Route of OpenShift.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "!has(self.certificateRef) || !has(self.termination) || self.termination != 'passthrough'",
    "a passthrough Route shows the certificate of spec.tls: remove exposure.route.certificateRef, or choose edge or reencrypt"
))]
#[serde(rename_all = "camelCase")]
pub struct RouteExposure {
    /// Whether there is a Route. Default: true where the Route API exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,

    /// Host of the Route. Default: the one that the router chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::Host>")]
    pub host: Option<String>,

    /// Where TLS ends: edge at the router, reencrypt at the router and again at the server, passthrough at the
    /// server. Default: edge without spec.tls, else reencrypt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination: Option<RouteTermination>,

    /// Secret with tls.crt and tls.key that the router shows. The router must be allowed to read it. Default: the
    /// router's own certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ref: Option<SecretRef>,

    /// Labels of the Route, such as those that choose a router shard.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub labels: BTreeMap<String, String>,

    /// Annotations of the Route. Default: haproxy.router.openshift.io/timeout with 30m, which stays unless it is
    /// stated here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// Where TLS ends on a Route; OpenShift's own values.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RouteTermination {
    /// At the router.
    Edge,
    /// At the router, and again at the server.
    Reencrypt,
    /// At the server.
    Passthrough,
}

impl RouteTermination {
    /// The value as OpenShift spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Reencrypt => "reencrypt",
            Self::Passthrough => "passthrough",
        }
    }
}

/// An Ingress.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct IngressExposure {
    /// Class of the Ingress. Default: the default class of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ObjectName>")]
    pub class_name: Option<String>,

    /// Host of the Ingress.
    #[schemars(with = "crate::grammar::Host")]
    pub host: String,

    /// Secret with tls.crt and tls.key for the host. Default: none, the Ingress speaks plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_secret_ref: Option<SecretRef>,

    /// Annotations of the Ingress, such as the body size and timeouts that its controller wants.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub annotations: BTreeMap<String, String>,
}
