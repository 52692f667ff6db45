//! The volumes of the Pod and where they appear. Everything is read-only except the data and the scratch space, and
//! nothing is mounted by subPath: such files are never refreshed.

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, EmptyDirVolumeSource, KeyToPath, PersistentVolumeClaimVolumeSource,
    SecretVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::layout;
use crate::store::{Release, ResolvedStore};

/// The server writes its uploads to the claim; scratch space is for what libraries leave behind.
const SCRATCH_SIZE: &str = "128Mi";

/// A volume of the operator and its place.
struct Mounted {
    volume: Volume,
    path: &'static str,
    is_writable: bool,
}

/// All volumes, the operator's first.
pub(super) fn volumes(store: &ResolvedStore, release: &Release) -> Vec<Volume> {
    let extra = store.spec.pod.extra_volumes.iter().cloned();
    let own = own(store, release).into_iter().map(|mounted| mounted.volume);
    own.chain(extra.map(Volume::from)).collect()
}

/// All mounts, the operator's first.
pub(super) fn mounts(store: &ResolvedStore, release: &Release) -> Vec<VolumeMount> {
    let extra = store.spec.pod.extra_volume_mounts.iter().cloned();
    let own = own(store, release).into_iter().map(|mounted| VolumeMount {
        name: mounted.volume.name,
        mount_path: mounted.path.to_owned(),
        read_only: (!mounted.is_writable).then_some(true),
        ..VolumeMount::default()
    });
    own.chain(extra.map(VolumeMount::from)).collect()
}

fn own(store: &ResolvedStore, release: &Release) -> Vec<Mounted> {
    let restart = store.names.restart_configuration(&release.configuration);
    let mut all = vec![
        from_config_map("zas-server", restart, None, layout::RESTART_CONFIGURATION),
        from_config_map(
            "zas-hot",
            store.names.hot_configuration(),
            None,
            layout::HOT_CONFIGURATION,
        ),
        from_secret(
            "zas-administrator",
            store.administrator_secret(),
            Some(vec![
                item(layout::USERNAME_KEY, layout::USERNAME_KEY),
                item(layout::PASSWORD_KEY, layout::PASSWORD_KEY),
            ]),
            layout::ADMINISTRATOR,
        ),
    ];
    all.extend(users(store));
    all.extend(certificate(store));
    all.extend(authorities(store));
    all.extend([data(store), scratch()]);
    all
}

fn users(store: &ResolvedStore) -> Option<Mounted> {
    let reference = store.spec.access.htpasswd_ref.as_ref()?;
    let items = vec![item(&reference.key, layout::HTPASSWD_FILE)];
    Some(from_secret(
        "zas-users",
        reference.name.clone(),
        Some(items),
        layout::USERS,
    ))
}

/// All keys of the Secret: the authority is optional, and an item that is absent would keep the Pod from starting.
fn certificate(store: &ResolvedStore) -> Option<Mounted> {
    if !store.speaks_tls() {
        return None;
    }
    let reference = store.spec.tls.secret_ref.as_ref()?;
    Some(from_secret("zas-tls", reference.name.clone(), None, layout::TLS))
}

fn authorities(store: &ResolvedStore) -> Option<Mounted> {
    let reference = store.spec.network.trusted_ca_ref.as_ref()?;
    let items = vec![item(&reference.key, layout::TRUSTED_AUTHORITIES_FILE)];
    Some(from_config_map(
        "zas-trusted-ca",
        reference.name.clone(),
        Some(items),
        layout::TRUSTED_AUTHORITIES,
    ))
}

fn data(store: &ResolvedStore) -> Mounted {
    Mounted {
        volume: Volume {
            name: "zas-data".to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: store.claim_name(),
                ..PersistentVolumeClaimVolumeSource::default()
            }),
            ..Volume::default()
        },
        path: layout::DATA,
        is_writable: true,
    }
}

fn scratch() -> Mounted {
    Mounted {
        volume: Volume {
            name: "zas-tmp".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource {
                size_limit: Some(Quantity(SCRATCH_SIZE.to_owned())),
                ..EmptyDirVolumeSource::default()
            }),
            ..Volume::default()
        },
        path: layout::TEMPORARY,
        is_writable: true,
    }
}

fn from_config_map(name: &str, source: String, items: Option<Vec<KeyToPath>>, path: &'static str) -> Mounted {
    Mounted {
        volume: Volume {
            name: name.to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: source,
                items,
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        path,
        is_writable: false,
    }
}

fn from_secret(name: &str, source: String, items: Option<Vec<KeyToPath>>, path: &'static str) -> Mounted {
    Mounted {
        volume: Volume {
            name: name.to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(source),
                items,
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        },
        path,
        is_writable: false,
    }
}

fn item(key: &str, path: &str) -> KeyToPath {
    KeyToPath {
        key: key.to_owned(),
        path: path.to_owned(),
        ..KeyToPath::default()
    }
}
