//! Step two: the resource and what it refers to become a store that can be built. Pure.

use std::collections::BTreeMap;

use kube::ResourceExt;
use zas_crd::{ConditionReason, Size, ZotArtifactStore, ZotArtifactStoreSpec};

use super::dereference::References;
use super::{access_control, operand, server_configuration};
use crate::children::{ChildKey, ChildKind, Facts, Observed, StoreKey};
use crate::labels;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::store::{DataClaim, Names, Operand, ProxySettings, ValidatedStore};

/// The size of a claim unless the resource says otherwise.
const DEFAULT_SIZE: &str = "20Gi";

/// Longest part of a host name between dots (RFC 1035, section 2.3.4).
const LONGEST_LABEL: usize = 63;

/// Everything that a store is made of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The resource.
    pub resource: &'a ZotArtifactStore,
    /// The rules of the definition that it breaks.
    pub broken_rules: &'a [Problem],
    /// What it refers to.
    pub references: &'a References,
    /// What holds for all stores.
    pub settings: &'a Settings,
    /// What the cluster offers.
    pub platform: &'a Platform,
    /// The objects that are there.
    pub observed: &'a BTreeMap<ChildKey, Observed>,
}

/// A store that can be built, with what its owner should know.
#[derive(Clone, Debug)]
pub struct Validated {
    /// The store.
    pub store: ValidatedStore,
    /// A newer version that waits for consent.
    pub pending_update: Option<String>,
    /// What cannot be had: the rest of the store is built without it.
    pub warnings: Vec<Problem>,
}

/// Makes a store of the resource.
///
/// # Errors
/// Everything that keeps it from being built. What runs goes on running.
pub fn validate(input: Input<'_>) -> Result<Validated, Vec<Problem>> {
    let mut problems = input.references.problems.clone();
    problems.extend(input.broken_rules.iter().cloned());
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut warnings = Vec::new();
    let spec = possible(&input.resource.spec, input, &mut warnings);
    let running = running(input.observed, &input.resource.name_any());
    let choice =
        operand::choose(&spec, &input.settings.operand, running.as_ref()).map_err(|problem| vec![problem])?;
    let claim = claim(&spec, input, &mut warnings).map_err(|problem| vec![problem])?;
    let files =
        access_control::resolve(&spec.access, input.references.access_control.as_deref()).and_then(|rules| {
            let bytes = volume_bytes(&claim);
            server_configuration::files(&spec, rules.as_ref(), bytes, &choice.operand.version)
        });
    let files = files.map_err(|problem| vec![problem])?;
    let key = StoreKey {
        namespace: input.resource.namespace().unwrap_or_default(),
        name: input.resource.name_any(),
    };
    let store = ValidatedStore {
        names: Names::of(&key.name),
        key,
        uid: input.resource.uid().unwrap_or_default(),
        operand: choice.operand,
        restart_configuration: files.restart,
        hot_configuration: files.hot,
        platform: input.platform.clone(),
        claim,
        proxy: proxy(&spec, &input.settings.proxy),
        has_route: has_route(&spec, input.platform),
        server_authority: input.references.server_authority.clone(),
        operator_namespace: input.settings.namespace.clone(),
        spec,
    };
    Ok(Validated {
        store,
        pending_update: choice.pending,
        warnings,
    })
}

/// The specification without what cannot be had here.
fn possible(
    spec: &ZotArtifactStoreSpec,
    input: Input<'_>,
    warnings: &mut Vec<Problem>,
) -> ZotArtifactStoreSpec {
    let mut spec = spec.clone();
    let missing = |field: &str, kind: ChildKind| {
        Problem::new(
            ConditionReason::APIMissing,
            format!(
                "{field} asks for a {}, which this cluster does not know ({}): install what brings it, or switch it off",
                kind.name(),
                kind.resource().api_version
            ),
        )
    };
    let wants_route = spec
        .exposure
        .route
        .as_ref()
        .is_some_and(|route| route.enabled != Some(false));
    if wants_route && !input.platform.has(ChildKind::Route) {
        warnings.push(missing("spec.exposure.route", ChildKind::Route));
    }
    if spec.monitoring.service_monitor.enabled && !input.platform.has(ChildKind::ServiceMonitor) {
        warnings.push(missing(
            "spec.monitoring.serviceMonitor",
            ChildKind::ServiceMonitor,
        ));
    }
    if spec.monitoring.prometheus_rule.enabled && !input.platform.has(ChildKind::PrometheusRule) {
        warnings.push(missing(
            "spec.monitoring.prometheusRule",
            ChildKind::PrometheusRule,
        ));
    }
    if let Some(route) = &mut spec.exposure.route
        && let Some(problem) = route
            .host
            .as_deref()
            .and_then(|host| host_problem(host, "route", input.settings))
    {
        route.enabled = Some(false);
        warnings.push(problem);
    }
    let ingress_host = spec
        .exposure
        .ingress
        .as_ref()
        .map(|ingress| ingress.host.as_str());
    if let Some(problem) = ingress_host.and_then(|host| host_problem(host, "ingress", input.settings)) {
        spec.exposure.ingress = None;
        warnings.push(problem);
    }
    spec
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
    let long = host.split('.').find(|label| label.len() > LONGEST_LABEL)?;
    Some(Problem::new(
        ConditionReason::HostInvalid,
        format!("spec.exposure.{exposure}.host has a part of more than {LONGEST_LABEL} characters: {long}"),
    ))
}

fn has_route(spec: &ZotArtifactStoreSpec, platform: &Platform) -> bool {
    let stated = spec.exposure.route.as_ref().and_then(|route| route.enabled);
    platform.has(ChildKind::Route) && stated.unwrap_or(true)
}

/// What the Deployment runs now.
fn running(observed: &BTreeMap<ChildKey, Observed>, name: &str) -> Option<Operand> {
    let deployment = observed.get(&ChildKey {
        kind: ChildKind::Deployment,
        name: name.to_owned(),
    })?;
    let Facts::Deployment(facts) = &deployment.facts else {
        return None;
    };
    Some(Operand {
        image: facts.image.clone()?,
        version: deployment.annotations.get(labels::VERSION_ANNOTATION)?.clone(),
    })
}

/// The claim. One that is there already never shrinks: Kubernetes would refuse, so its size is kept.
fn claim(
    spec: &ZotArtifactStoreSpec,
    input: Input<'_>,
    warnings: &mut Vec<Problem>,
) -> Result<DataClaim, Problem> {
    if let Some(name) = &spec.data_volume.existing_claim {
        return Ok(DataClaim::Existing(name.clone()));
    }
    let wanted = spec
        .data_volume
        .size
        .clone()
        .unwrap_or_else(|| Size::new(DEFAULT_SIZE));
    let wanted_bytes = wanted.bytes().map_err(|error| {
        Problem::new(
            ConditionReason::InvalidSpec,
            format!("spec.dataVolume.size: {error}"),
        )
    })?;
    let name = Names::of(&input.resource.name_any()).claim();
    let present = input.observed.get(&ChildKey {
        kind: ChildKind::PersistentVolumeClaim,
        name: name.clone(),
    });
    let Some(Facts::Claim(facts)) = present.map(|seen| &seen.facts) else {
        return Ok(DataClaim::Managed {
            size: wanted.to_string(),
        });
    };
    let present = facts.requested.clone().unwrap_or_default();
    if Size::new(present.clone())
        .bytes()
        .is_ok_and(|bytes| bytes > wanted_bytes)
    {
        if spec.data_volume.size.is_some() {
            warnings.push(Problem::new(
                ConditionReason::VolumeShrinkRefused,
                format!(
                    "spec.dataVolume.size {wanted} is below the {present} of claim {name}, which cannot shrink: state at \
                     least {present}"
                ),
            ));
        }
        return Ok(DataClaim::Managed { size: present });
    }
    // Kubernetes lets only bound claims grow: it happens once there is a volume.
    if !facts.is_bound && !present.is_empty() {
        return Ok(DataClaim::Managed { size: present });
    }
    Ok(DataClaim::Managed {
        size: wanted.to_string(),
    })
}

fn volume_bytes(claim: &DataClaim) -> Option<u64> {
    match claim {
        DataClaim::Managed { size } => Size::new(size.clone()).bytes().ok(),
        DataClaim::Existing(_) => None,
    }
}

fn proxy(spec: &ZotArtifactStoreSpec, operators: &ProxySettings) -> ProxySettings {
    match &spec.network.proxy {
        None => operators.clone(),
        Some(stated) => ProxySettings {
            http: stated.http_proxy.clone(),
            https: stated.https_proxy.clone(),
            none: stated.no_proxy.clone(),
        },
    }
}

#[cfg(test)]
mod tests;
