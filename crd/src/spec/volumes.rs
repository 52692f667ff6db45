//! Volumes and mounts that a user adds to the Pod.

use k8s_openapi::api::core::v1::{
    CSIVolumeSource, ConfigMapVolumeSource, EmptyDirVolumeSource, PersistentVolumeClaimVolumeSource,
    ProjectedVolumeSource, SecretVolumeSource, Volume, VolumeMount,
};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A volume: its name and exactly one source. Sources that reach into the node are not among them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "[has(self.configMap), has(self.secret), has(self.projected), has(self.emptyDir), has(self.csi), has(self.persistentVolumeClaim)].filter(present, present).size() == 1",
    "an extra volume has exactly one source: set one of configMap, secret, projected, emptyDir, csi, persistentVolumeClaim"
))]
#[x_kube(validation = (
    "!self.name.startsWith('zas-')",
    "names of extra volumes must not start with zas-, which the operator uses: choose another name"
))]
#[serde(rename_all = "camelCase")]
pub struct ExtraVolume {
    /// Name of the volume, which must not start with zas-.
    #[schemars(with = "crate::grammar::LabelName")]
    pub name: String,

    /// Files from a ConfigMap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<ConfigMapVolumeSource>")]
    pub config_map: Option<ConfigMapVolumeSource>,

    /// Files from a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<SecretVolumeSource>")]
    pub secret: Option<SecretVolumeSource>,

    /// Files from several sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<ProjectedVolumeSource>")]
    pub projected: Option<ProjectedVolumeSource>,

    /// An empty directory that lives as long as the Pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<EmptyDirVolumeSource>")]
    pub empty_dir: Option<EmptyDirVolumeSource>,

    /// A volume that a CSI driver provides for the life of the Pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<CSIVolumeSource>")]
    pub csi: Option<CSIVolumeSource>,

    /// A claim of the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::embedded_option::<PersistentVolumeClaimVolumeSource>")]
    pub persistent_volume_claim: Option<PersistentVolumeClaimVolumeSource>,
}

impl From<ExtraVolume> for Volume {
    fn from(extra: ExtraVolume) -> Self {
        Self {
            name: extra.name,
            config_map: extra.config_map,
            secret: extra.secret,
            projected: extra.projected,
            empty_dir: extra.empty_dir,
            csi: extra.csi,
            persistent_volume_claim: extra.persistent_volume_claim,
            ..Self::default()
        }
    }
}

/// Where a volume appears in the container.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ExtraVolumeMount {
    /// Name of the volume, which is one of spec.pod.extraVolumes.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,

    /// Absolute path in the container, not under /config, /data or /tmp.
    #[schemars(with = "crate::grammar::MountPath")]
    pub mount_path: String,

    /// Path inside the volume. Default: its root. Files below a subPath are not refreshed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::SubPath>")]
    pub sub_path: Option<String>,

    /// Whether the container can only read. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
}

impl From<ExtraVolumeMount> for VolumeMount {
    fn from(extra: ExtraVolumeMount) -> Self {
        Self {
            name: extra.name,
            mount_path: extra.mount_path,
            sub_path: extra.sub_path,
            read_only: extra.read_only,
            ..Self::default()
        }
    }
}
