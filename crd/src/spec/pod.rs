//! `spec.pod`: the Pod of the server.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, EnvVar, PodSecurityContext, ResourceRequirements, SecurityContext, Toleration,
    TopologySpreadConstraint,
};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::volumes::{ExtraVolume, ExtraVolumeMount};

/// The Pod of the server.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "!has(self.extraVolumeMounts) || self.extraVolumeMounts.all(mount, has(self.extraVolumes) && self.extraVolumes.exists(volume, volume.name == mount.name))",
    "pod.extraVolumeMounts must name volumes of pod.extraVolumes: add the volume there, or correct the name of the mount"
))]
#[serde(rename_all = "camelCase")]
pub struct PodSettings {
    /// Labels of the Pod. Those that the operator sets itself win.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub labels: BTreeMap<String, String>,

    /// Annotations of the Pod. Those that the operator sets itself win.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub annotations: BTreeMap<String, String>,

    /// Requests and limits of the container. Default: requests of 250m cpu and 256Mi memory, a limit of 1Gi memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<ResourceRequirements>")]
    pub resources: Option<ResourceRequirements>,

    /// Labels of the nodes that the Pod may run on. Default: any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub node_selector: BTreeMap<String, String>,

    /// Taints that the Pod tolerates, at most 64. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        schema_with = "crate::schema::embedded::<Vec<Toleration>>",
        extend("maxItems" = 64, "x-kubernetes-list-type" = "atomic")
    )]
    pub tolerations: Vec<Toleration>,

    /// Rules of attraction and repulsion between Pods and nodes. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<Affinity>")]
    pub affinity: Option<Affinity>,

    /// How Pods are spread, at most 16 constraints. Default: softly over zones and nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        schema_with = "crate::schema::embedded::<Vec<TopologySpreadConstraint>>",
        extend("maxItems" = 16, "x-kubernetes-list-type" = "atomic")
    )]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,

    /// Priority class of the Pod. Default: the default of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ObjectName>")]
    pub priority_class_name: Option<String>,

    /// Seconds between the request to stop and the end of the Pod, 5 to 3600, in which requests and uploads finish.
    /// Default: 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 3600))]
    pub termination_grace_period_seconds: Option<i32>,

    /// Security settings of the Pod. What is not stated keeps its default: not root, the runtime's seccomp profile,
    /// and fsGroup 1001 outside of OpenShift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<PodSecurityContext>")]
    pub security_context: Option<PodSecurityContext>,

    /// Security settings of the container. What is not stated keeps its default: no privileges, no capabilities, a
    /// read-only root file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<SecurityContext>")]
    pub container_security_context: Option<SecurityContext>,

    /// Timings of the probes; what they ask is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,

    /// Environment variables of the container, at most 64. Names that start with ZAS_ are refused: they would change
    /// the configuration behind the operator's back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        schema_with = "crate::schema::environment",
        extend(
            "maxItems" = 64,
            "x-kubernetes-list-type" = "map",
            "x-kubernetes-list-map-keys" = ["name"]
        )
    )]
    #[x_kube(validation = (
        "self.all(variable, !variable.name.startsWith('ZAS_'))",
        "names in pod.extraEnv must not start with ZAS_, which would change the server's configuration: use the fields of spec instead"
    ))]
    pub extra_env: Vec<EnvVar>,

    /// Volumes of the Pod besides the operator's, at most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub extra_volumes: Vec<ExtraVolume>,

    /// Where those volumes appear in the container, at most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["mountPath"])
    )]
    #[x_kube(validation = (
        "self.all(mount, !mount.mountPath.matches('^/(config|data|tmp)(/.*)?$'))",
        "pod.extraVolumeMounts must not lie under /config, /data or /tmp, which the server uses: choose another mountPath"
    ))]
    pub extra_volume_mounts: Vec<ExtraVolumeMount>,
}

/// Timings of the probes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct Probes {
    /// Until the server has started. Default: every 3 seconds, 60 failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<ProbeTimings>,

    /// Whether the server gets requests. Default: every 5 seconds, 3 failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness: Option<ProbeTimings>,

    /// Whether the server is restarted. Default: every 10 seconds, 6 failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness: Option<ProbeTimings>,
}

/// Timings of one probe. What is not stated keeps the default of the probe.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ProbeTimings {
    /// Seconds before the first try, 0 to 3600. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3600))]
    pub initial_delay_seconds: Option<i32>,

    /// Seconds between two tries, 1 to 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub period_seconds: Option<i32>,

    /// Seconds that an answer may take, 1 to 600. Default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 600))]
    pub timeout_seconds: Option<i32>,

    /// Failed tries in a row that count as failure, 1 to 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub failure_threshold: Option<i32>,
}
