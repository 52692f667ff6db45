//! The Route of OpenShift.

use serde_json::{Value, json};
use zas_crd::{RouteExposure, RouteTermination};

use super::{Prepared, REGISTRY_PORT_NAME, labels_with, metadata};
use crate::children::ChildKind;
use crate::store::ResolvedStore;

/// How long the router waits for the server. Its default of 30 seconds ends the push of a large layer.
const TIMEOUT_ANNOTATION: (&str, &str) = ("haproxy.router.openshift.io/timeout", "30m");

/// The Route.
pub(crate) fn build(store: &ResolvedStore) -> Prepared {
    let exposed = store.spec.exposure.route.clone().unwrap_or_default();
    let mut metadata = metadata(store, store.names.store(), Some(store.owner()));
    metadata.labels = Some(labels_with(store, &exposed.labels));
    let mut annotations = exposed.annotations.clone();
    let (timeout, value) = TIMEOUT_ANNOTATION;
    annotations
        .entry(timeout.to_owned())
        .or_insert_with(|| value.to_owned());
    metadata.annotations = Some(annotations);
    let mut spec = json!({
        "to": { "kind": "Service", "name": store.names.store(), "weight": 100 },
        "port": { "targetPort": REGISTRY_PORT_NAME },
        "tls": tls(store, &exposed),
        "wildcardPolicy": "None",
    });
    state(&mut spec, "host", exposed.host.map(Value::from));
    Prepared::new(ChildKind::Route, &json!({ "metadata": metadata, "spec": spec }))
}

fn tls(store: &ResolvedStore, exposed: &RouteExposure) -> Value {
    let termination = exposed.termination.unwrap_or(if store.speaks_tls() {
        RouteTermination::Reencrypt
    } else {
        RouteTermination::Edge
    });
    let mut tls = json!({
        "termination": termination.as_str(),
        "insecureEdgeTerminationPolicy": "Redirect",
    });
    if termination != RouteTermination::Passthrough {
        let certificate = exposed.certificate_ref.as_ref();
        let reference = certificate.map(|secret| json!({ "name": secret.name }));
        state(&mut tls, "externalCertificate", reference);
    }
    if termination == RouteTermination::Reencrypt {
        let authority = store.server_authority.clone();
        state(&mut tls, "destinationCACertificate", authority.map(Value::from));
    }
    tls
}

/// Sets a field when there is something to say.
fn state(object: &mut Value, field: &str, value: Option<Value>) {
    if let (Value::Object(fields), Some(value)) = (object, value) {
        fields.insert(field.to_owned(), value);
    }
}
