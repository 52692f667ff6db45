//! Addresses outside of the cluster.

use zas_crd::ConditionReason;

use super::{Component, Input, Plan, optional};
use crate::children::ChildKind;
use crate::problem::Problem;
use crate::resources::{ingress, route};
use crate::settings::Settings;
use crate::store::ResolvedStore;

/// Longest part of a host name between dots (RFC 1035, section 2.3.4).
const MAX_LABEL_LENGTH: usize = 63;

pub(super) fn plans(input: Input<'_>, store: &ResolvedStore) -> [(Component, Plan); 2] {
    [
        (Component::Route, route_plan(input, store)),
        (Component::Ingress, ingress_plan(input, store)),
    ]
}

/// The Route: where there are Routes a store has one, unless it is switched off.
fn route_plan(input: Input<'_>, store: &ResolvedStore) -> Plan {
    let stated = store.spec.exposure.route.as_ref();
    if stated.is_some_and(|route| route.enabled == Some(false)) {
        return Plan::Ready(Vec::new());
    }
    let field = stated.map(|_| "spec.exposure.route");
    optional(input, Component::Route, ChildKind::Route, field, || {
        let host = stated.and_then(|route| route.host.as_deref());
        let mut problems = input.references.problems_of(Component::Route);
        problems.extend(host.and_then(|host| host_problem(host, "route", input.settings)));
        if problems.is_empty() {
            return Plan::Ready(vec![route::build(store)]);
        }
        input.without(Component::Route, problems)
    })
}

fn ingress_plan(input: Input<'_>, store: &ResolvedStore) -> Plan {
    let Some(stated) = &store.spec.exposure.ingress else {
        return Plan::Ready(Vec::new());
    };
    if let Some(problem) = host_problem(&stated.host, "ingress", input.settings) {
        return input.without(Component::Ingress, vec![problem]);
    }
    let ingress = vec![ingress::build(store, stated)];
    match input.references.problems_of(Component::Ingress) {
        problems if problems.is_empty() => Plan::Ready(ingress),
        // It is made without its certificate: what issues certificates for an Ingress begins when it sees one.
        problems => Plan::Keep(ingress, problems),
    }
}

fn host_problem(host: &str, exposure: &str, settings: &Settings) -> Option<Problem> {
    if !settings.allows_host(host) {
        return Some(Problem::new(
            ConditionReason::HostNotAllowed,
            format!(
                "spec.exposure.{exposure}.host {host} may not be claimed: it must end with one of {}",
                settings.allowed_host_suffixes.join(", ")
            ),
        ));
    }
    let long = host.split('.').find(|label| label.len() > MAX_LABEL_LENGTH)?;
    Some(Problem::new(
        ConditionReason::HostInvalid,
        format!(
            "spec.exposure.{exposure}.host has a part of more than {MAX_LABEL_LENGTH} characters: {long}"
        ),
    ))
}
