//! The Ingress.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};

use zas_crd::IngressExposure;

use super::{Prepared, REGISTRY_PORT_NAME, metadata, stated};
use crate::children::ChildKind;
use crate::store::ResolvedStore;

/// The Ingress.
pub(crate) fn build(store: &ResolvedStore, exposed: &IngressExposure) -> Prepared {
    let mut metadata = metadata(store, store.names.store(), Some(store.owner()));
    metadata.annotations = stated(&exposed.annotations);
    let tls = exposed.tls_secret_ref.as_ref().map(|secret| {
        vec![IngressTLS {
            hosts: Some(vec![exposed.host.clone()]),
            secret_name: Some(secret.name.clone()),
        }]
    });
    let ingress = Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: exposed.class_name.clone(),
            rules: Some(vec![IngressRule {
                host: Some(exposed.host.clone()),
                http: Some(HTTPIngressRuleValue {
                    paths: vec![HTTPIngressPath {
                        path: Some("/".to_owned()),
                        path_type: "Prefix".to_owned(),
                        backend: backend(store),
                    }],
                }),
            }]),
            tls,
            ..IngressSpec::default()
        }),
        ..Ingress::default()
    };
    Prepared::new(ChildKind::Ingress, &ingress)
}

fn backend(store: &ResolvedStore) -> IngressBackend {
    IngressBackend {
        service: Some(IngressServiceBackend {
            name: store.names.store().to_owned(),
            port: Some(ServiceBackendPort {
                name: Some(REGISTRY_PORT_NAME.to_owned()),
                ..ServiceBackendPort::default()
            }),
        }),
        ..IngressBackend::default()
    }
}
