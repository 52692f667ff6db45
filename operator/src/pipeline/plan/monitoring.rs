//! What the Prometheus operator takes up.

use super::{Component, Input, Plan, optional};
use crate::children::ChildKind;
use crate::resources::{prometheus_rule, service_monitor};
use crate::store::ResolvedStore;

pub(super) fn plans(input: Input<'_>, store: &ResolvedStore) -> [(Component, Plan); 2] {
    [
        (Component::ServiceMonitor, service_monitor_plan(input, store)),
        (Component::PrometheusRule, prometheus_rule_plan(input, store)),
    ]
}

fn service_monitor_plan(input: Input<'_>, store: &ResolvedStore) -> Plan {
    if !(store.spec.monitoring.service_monitor.enabled && store.spec.extensions.metrics.enabled) {
        return Plan::Ready(Vec::new());
    }
    let field = Some("spec.monitoring.serviceMonitor");
    optional(
        input,
        Component::ServiceMonitor,
        ChildKind::ServiceMonitor,
        field,
        || Plan::Ready(vec![service_monitor::build(store)]),
    )
}

fn prometheus_rule_plan(input: Input<'_>, store: &ResolvedStore) -> Plan {
    if !(store.spec.monitoring.prometheus_rule.enabled && store.spec.extensions.metrics.enabled) {
        return Plan::Ready(Vec::new());
    }
    let field = Some("spec.monitoring.prometheusRule");
    optional(
        input,
        Component::PrometheusRule,
        ChildKind::PrometheusRule,
        field,
        || Plan::Ready(vec![prometheus_rule::build(store)]),
    )
}
