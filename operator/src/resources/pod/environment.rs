//! The environment of the server.

use k8s_openapi::api::core::v1::EnvVar;

use crate::layout;
use crate::store::ResolvedStore;

/// Where distributions keep the certificate authorities of the system: Debian's folder and Red Hat's.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs:/etc/pki/tls/certs";

/// Proxy and certificate authorities, then what was stated. A stated variable replaces the operator's: a name may
/// occur only once.
pub(super) fn variables(store: &ResolvedStore) -> Vec<EnvVar> {
    let stated = &store.spec.pod.extra_env;
    let mut all = proxy(store);
    all.extend(authorities(store));
    all.retain(|own| stated.iter().all(|variable| variable.name != own.name));
    all.extend(stated.iter().cloned());
    all
}

/// Programs disagree whether these names are written in capitals.
fn proxy(store: &ResolvedStore) -> Vec<EnvVar> {
    [
        ("HTTP_PROXY", &store.proxy.http),
        ("HTTPS_PROXY", &store.proxy.https),
        ("NO_PROXY", &store.proxy.none),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    .flat_map(|(name, value)| [variable(name, value), variable(&name.to_lowercase(), value)])
    .collect()
}

/// A list of folders, since a single file would replace the authorities of the system.
fn authorities(store: &ResolvedStore) -> Option<EnvVar> {
    store.spec.network.trusted_ca_ref.as_ref()?;
    let folders = format!("{SYSTEM_AUTHORITIES}:{}", layout::TRUSTED_AUTHORITIES);
    Some(variable("SSL_CERT_DIR", &folders))
}

fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..EnvVar::default()
    }
}
