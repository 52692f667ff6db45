//! The resource with what surrounds it, as objects are built from it.

use kube::ResourceExt;

use super::Input;
use crate::children::{ChildKind, StoreKey};
use crate::store::{Names, Origin, ProxySettings, ResolvedStore};

pub(super) fn store(input: Input<'_>) -> ResolvedStore {
    let (resource, names) = (input.resource, input.names());
    let uid = resource.uid().unwrap_or_default();
    let origin = |kind, name: &str| Origin::of(input.seen(kind, name), &uid);
    ResolvedStore {
        key: StoreKey {
            namespace: resource.namespace().unwrap_or_default(),
            name: resource.name_any(),
        },
        claim_origin: origin(ChildKind::PersistentVolumeClaim, &names.claim()),
        credentials_origin: origin(ChildKind::Secret, &names.administrator()),
        names: Names::of(&resource.name_any()),
        platform: input.platform.clone(),
        proxy: proxy(input),
        server_authority: input.references.server_authority.clone(),
        operator_namespace: input.settings.namespace.clone(),
        spec: resource.spec.clone(),
        uid,
    }
}

fn proxy(input: Input<'_>) -> ProxySettings {
    match &input.resource.spec.network.proxy {
        None => input.settings.proxy.clone(),
        Some(stated) => ProxySettings {
            http: stated.http_proxy.clone(),
            https: stated.https_proxy.clone(),
            none: stated.no_proxy.clone(),
        },
    }
}
