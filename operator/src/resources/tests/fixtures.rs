//! Resolved stores for tests.

use std::ops::{Deref, DerefMut};

use zas_crd::ZotArtifactStoreSpec;

use crate::children::{ChildKind, StoreKey};
use crate::platform::Platform;
use crate::resources::{
    Prepared, config_map, deployment, ingress, network_policy, persistent_volume_claim, prometheus_rule,
    route, secret, service, service_account, service_monitor,
};
use crate::store::{Names, Operand, Origin, ProxySettings, Release, ResolvedStore};

/// A Kubernetes cluster with every optional kind but Routes.
pub(crate) fn kubernetes() -> Platform {
    Platform::new(false, [ChildKind::ServiceMonitor, ChildKind::PrometheusRule])
}

/// An OpenShift cluster.
pub(crate) fn openshift() -> Platform {
    let optional = ChildKind::ALL.into_iter().filter(|kind| kind.is_optional());
    Platform::new(true, optional)
}

/// A store with everything that its objects are built from.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    pub(crate) store: ResolvedStore,
    pub(crate) release: Release,
    pub(crate) hot_configuration: String,
    pub(crate) size: String,
}

impl Deref for Fixture {
    type Target = ResolvedStore;

    fn deref(&self) -> &ResolvedStore {
        &self.store
    }
}

impl DerefMut for Fixture {
    fn deref_mut(&mut self) -> &mut ResolvedStore {
        &mut self.store
    }
}

/// All objects of a store, in the order of application, as far as the cluster knows them and the spec asks for them.
pub(crate) fn build(fixture: &Fixture) -> Vec<Prepared> {
    let store = &fixture.store;
    let (monitoring, has_metrics) = (&store.spec.monitoring, store.spec.extensions.metrics.enabled);
    let mut objects: Vec<Prepared> = service_account::build(store).into_iter().collect();
    objects.push(config_map::restart(store, &fixture.release.configuration));
    objects.push(config_map::hot(store, &fixture.hot_configuration));
    objects.extend(secret::build(store));
    if store.spec.data_volume.existing_claim.is_none() {
        objects.push(persistent_volume_claim::build(
            store,
            &fixture.size,
            &fixture.size,
        ));
    }
    objects.extend(service::build(store));
    objects.extend(network_policy::build(store));
    objects.push(deployment::build(store, &fixture.release));
    let exposed = store.spec.exposure.ingress.iter();
    objects.extend(exposed.map(|exposed| ingress::build(store, exposed)));
    let stated = store.spec.exposure.route.as_ref();
    if store.platform.has(ChildKind::Route) && stated.is_none_or(|route| route.enabled != Some(false)) {
        objects.push(route::build(store));
    }
    if store.platform.has(ChildKind::ServiceMonitor) && has_metrics && monitoring.service_monitor.enabled {
        objects.push(service_monitor::build(store));
    }
    if store.platform.has(ChildKind::PrometheusRule) && has_metrics && monitoring.prometheus_rule.enabled {
        objects.push(prometheus_rule::build(store));
    }
    objects
}

/// The store `artifacts/store` with the spec that the YAML states, on Kubernetes.
pub(crate) fn store(spec: &str) -> Fixture {
    store_on(kubernetes(), spec)
}

/// As [`store`], on another cluster.
pub(crate) fn store_on(platform: Platform, spec: &str) -> Fixture {
    let spec: ZotArtifactStoreSpec = serde_saphyr::from_str(spec).unwrap();
    let size = spec
        .data_volume
        .size
        .as_ref()
        .map_or("20Gi", |size| size.as_str());
    let image = spec.image.reference.clone();
    let operand = Operand {
        image: image.unwrap_or_else(|| "registry.example.com/zas@sha256:0000".to_owned()),
        version: spec.version.clone().unwrap_or_else(|| "0.2.0".to_owned()),
    };
    Fixture {
        size: size.to_owned(),
        release: Release {
            operand,
            configuration: "configVersion: 1\nhttp:\n  listen: '[::]:8080'\n".to_owned(),
        },
        hot_configuration: "configVersion: 1\nlog:\n  level: info\n".to_owned(),
        store: ResolvedStore {
            key: StoreKey {
                namespace: "artifacts".to_owned(),
                name: "store".to_owned(),
            },
            uid: "6b3b6a0e-0000-4000-8000-000000000001".to_owned(),
            names: Names::of("store"),
            platform,
            proxy: ProxySettings::default(),
            claim_origin: Origin::Own,
            credentials_origin: Origin::Own,
            server_authority: None,
            operator_namespace: "zot-artifact-store-operator".to_owned(),
            spec,
        },
    }
}
