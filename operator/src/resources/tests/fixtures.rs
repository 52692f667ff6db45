//! Validated stores for tests.

use zas_crd::ZotArtifactStoreSpec;

use crate::children::{ChildKind, StoreKey};
use crate::platform::Platform;
use crate::store::{DataClaim, Names, Operand, ProxySettings, ValidatedStore};

/// A Kubernetes cluster with every optional kind but Routes.
pub(crate) fn kubernetes() -> Platform {
    Platform::new(false, [ChildKind::ServiceMonitor, ChildKind::PrometheusRule])
}

/// An OpenShift cluster.
pub(crate) fn openshift() -> Platform {
    let optional = ChildKind::ALL.into_iter().filter(|kind| kind.is_optional());
    Platform::new(true, optional)
}

/// The store `artifacts/store` with the spec that the YAML states, on Kubernetes.
pub(crate) fn store(spec: &str) -> ValidatedStore {
    store_on(kubernetes(), spec)
}

/// As [`store`], on another cluster.
pub(crate) fn store_on(platform: Platform, spec: &str) -> ValidatedStore {
    let spec: ZotArtifactStoreSpec = serde_saphyr::from_str(spec).unwrap();
    let volume = &spec.data_volume;
    let claim = match &volume.existing_claim {
        Some(name) => DataClaim::Existing(name.clone()),
        None => DataClaim::Managed {
            size: volume
                .size
                .as_ref()
                .map_or("20Gi", |size| size.as_str())
                .to_owned(),
        },
    };
    let image = spec.image.reference.clone();
    ValidatedStore {
        key: StoreKey {
            namespace: "artifacts".to_owned(),
            name: "store".to_owned(),
        },
        uid: "6b3b6a0e-0000-4000-8000-000000000001".to_owned(),
        names: Names::of("store"),
        operand: Operand {
            image: image.unwrap_or_else(|| "registry.example.com/zas@sha256:0000".to_owned()),
            version: spec.version.clone().unwrap_or_else(|| "0.2.0".to_owned()),
        },
        restart_configuration: "configVersion: 1\nhttp:\n  listen: '[::]:8080'\n".to_owned(),
        hot_configuration: "configVersion: 1\nlog:\n  level: info\n".to_owned(),
        has_route: platform.has(ChildKind::Route),
        platform,
        claim,
        proxy: ProxySettings::default(),
        server_authority: None,
        operator_namespace: "zot-artifact-store-operator".to_owned(),
        spec,
    }
}
