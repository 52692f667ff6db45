//! The probes. They ask the operational listener, which speaks plain HTTP and knows no users.

use k8s_openapi::api::core::v1::{HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use zas_crd::{ProbeTimings, Probes};

use super::grace_seconds;
use crate::resources::OPERATIONS_PORT_NAME;
use crate::store::ResolvedStore;

const TIMEOUT_SECONDS: i32 = 5;
const STARTUP_PERIOD_SECONDS: i32 = 3;
const STARTUP_FAILURES: i32 = 60;
/// What a new server may need after the old one is gone: it waits for the lock of the database, then opens it.
const STARTUP_AFTER_GRACE_SECONDS: i32 = 120;

/// Until the stores are open.
pub(super) fn startup(store: &ResolvedStore) -> Probe {
    let (period, failures) = startup_timings(store);
    probe(
        "/startupz",
        &stated(store, |probes| &probes.startup),
        period,
        failures,
    )
}

/// Whether clients are sent here.
pub(super) fn readiness(store: &ResolvedStore) -> Probe {
    probe("/readyz", &stated(store, |probes| &probes.readiness), 5, 3)
}

/// Whether the process must be replaced.
pub(super) fn liveness(store: &ResolvedStore) -> Probe {
    probe("/livez", &stated(store, |probes| &probes.liveness), 10, 6)
}

/// How long the server may take to start.
pub(super) fn startup_budget_seconds(store: &ResolvedStore) -> i32 {
    let (period, failures) = startup_timings(store);
    let delay = stated(store, |probes| &probes.startup).initial_delay_seconds;
    period.saturating_mul(failures).saturating_add(delay.unwrap_or(0))
}

/// Period and failures. After a Pod was deleted the new one waits while the old one uses up its grace, so the patience
/// grows with the grace.
fn startup_timings(store: &ResolvedStore) -> (i32, i32) {
    let stated = stated(store, |probes| &probes.startup);
    let period = stated.period_seconds.unwrap_or(STARTUP_PERIOD_SECONDS).max(1);
    let budget = grace_seconds(store).saturating_add(STARTUP_AFTER_GRACE_SECONDS);
    let needed = budget.saturating_add(period - 1) / period;
    let failures = stated.failure_threshold.unwrap_or(STARTUP_FAILURES.max(needed));
    (period, failures)
}

fn stated(store: &ResolvedStore, which: impl Fn(&Probes) -> &Option<ProbeTimings>) -> ProbeTimings {
    let probes = store.spec.pod.probes.as_ref();
    probes
        .and_then(|probes| which(probes).clone())
        .unwrap_or_default()
}

fn probe(path: &str, stated: &ProbeTimings, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(OPERATIONS_PORT_NAME.to_owned()),
            ..HTTPGetAction::default()
        }),
        initial_delay_seconds: stated.initial_delay_seconds,
        period_seconds: Some(stated.period_seconds.unwrap_or(period)),
        timeout_seconds: Some(stated.timeout_seconds.unwrap_or(TIMEOUT_SECONDS)),
        failure_threshold: Some(stated.failure_threshold.unwrap_or(failures)),
        ..Probe::default()
    }
}
