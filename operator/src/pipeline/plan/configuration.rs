//! The configuration of the server.

use super::release::Planned;
use super::{Component, Input, Plan};
use crate::children::ChildKind;
use crate::resources::config_map;
use crate::store::ResolvedStore;

/// Both parts of the configuration, or as many of them as can be made.
pub(super) fn plan(input: Input<'_>, store: &ResolvedStore, planned: &Planned) -> Plan {
    let restart = planned.restart.as_ref();
    let hot = planned.hot.as_ref();
    let objects: Vec<_> = restart
        .map(|content| config_map::restart(store, content))
        .into_iter()
        .chain(hot.map(|content| config_map::hot(store, content)))
        .collect();
    let is_hot_there = input
        .seen(ChildKind::ConfigMap, &store.names.hot_configuration())
        .is_some();
    match (restart, hot) {
        (Some(_), Some(_)) if planned.problems.is_empty() => Plan::Ready(objects),
        (Some(_), Some(_)) => Plan::Keep(objects, planned.problems.clone()),
        // What the server reads while running stays as it is.
        (Some(_), None) if is_hot_there => Plan::Keep(objects, planned.problems.clone()),
        _ => input.without(Component::Configuration, planned.problems.clone()),
    }
}
