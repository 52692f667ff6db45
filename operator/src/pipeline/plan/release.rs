//! What the server is to run, and with which configuration.

use std::collections::BTreeMap;

use kube::ResourceExt;
use zas_config::AccessControl;
use zas_crd::{ZotArtifactStore, ZotArtifactStoreStatus};

use super::{Component, Input};
use crate::children::{ChildKey, ChildKind, Facts, Observed};
use crate::labels;
use crate::pipeline::{access_control, operand, server_configuration};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::store::{Operand, Release};

/// What the server is to run, as far as that is known.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// Image and version; or why they are not known.
    pub operand: Result<Operand, Problem>,
    /// The configuration that needs a restart.
    pub restart: Option<String>,
    /// The configuration that is taken over while running. Without, the one in force stays.
    pub hot: Option<String>,
    /// What is wrong with the configuration.
    pub problems: Vec<Problem>,
    /// What the Pod runs, when all of it is known.
    pub release: Option<Release>,
}

/// Chooses image and version, and makes the configuration for them.
pub(super) fn plan(input: Input<'_>, volume_bytes: Option<u64>) -> Planned {
    let spec = &input.resource.spec;
    let running = running(input.resource, input.status, input.observed);
    let operand = operand::choose(spec, &input.settings.operand, running.as_ref()).operand;
    let mut problems = input.references.problems_of(Component::Configuration);
    let rules = rules(input).unwrap_or_else(|problem| {
        problems.extend(problem);
        Rules::NotKnown
    });
    // An image that is not known is not run, and what runs goes on with a configuration that it understands.
    let serving = operand.as_ref().ok().or(running.as_ref());
    let files = serving.and_then(|serving| {
        let stated = match &rules {
            Rules::Known(rules) => rules.as_ref(),
            Rules::NotKnown => None,
        };
        let files = server_configuration::files(spec, stated, volume_bytes, &serving.version);
        files.map_err(|problem| problems.push(problem)).ok()
    });
    let (restart, hot) = files.map(|files| (files.restart, files.hot)).unzip();
    let release = operand.as_ref().ok().cloned().zip(restart.clone());
    Planned {
        release: release.map(|(operand, configuration)| Release {
            operand,
            configuration,
        }),
        operand,
        restart,
        hot: hot.filter(|_| matches!(rules, Rules::Known(_))),
        problems,
    }
}

/// Access rules. Those that cannot be read are not those that nobody stated.
enum Rules {
    Known(Option<AccessControl>),
    NotKnown,
}

fn rules(input: Input<'_>) -> Result<Rules, Option<Problem>> {
    let access = &input.resource.spec.access;
    let stated = access.access_control.as_ref();
    let is_in_file = stated.is_some_and(|rules| rules.config_map_ref.is_some());
    let from_file = input.references.access_control.as_deref();
    if is_in_file && from_file.is_none() {
        // The reference has its own problem.
        return Err(None);
    }
    let rules = access_control::resolve(access, from_file).map_err(Some)?;
    Ok(Rules::Known(rules))
}

/// What the store runs: its Deployment says, or the status after somebody has deleted that.
pub fn running(
    resource: &ZotArtifactStore,
    status: Option<&ZotArtifactStoreStatus>,
    observed: &BTreeMap<ChildKey, Observed>,
) -> Option<Operand> {
    let deployment = observed.get(&ChildKey {
        kind: ChildKind::Deployment,
        name: resource.name_any(),
    });
    let of_deployment = deployment.and_then(|seen| match &seen.facts {
        Facts::Deployment(facts) => Some(Operand {
            image: facts.image.clone()?,
            version: seen.annotations.get(labels::VERSION_ANNOTATION)?.clone(),
        }),
        _ => None,
    });
    of_deployment.or_else(|| {
        Some(Operand {
            image: status?.image.clone()?,
            version: status?.version.clone()?,
        })
    })
}

/// The version that waits for consent.
pub fn pending_update(
    resource: &ZotArtifactStore,
    status: Option<&ZotArtifactStoreStatus>,
    settings: &Settings,
    observed: &BTreeMap<ChildKey, Observed>,
) -> Option<String> {
    let running = running(resource, status, observed);
    operand::choose(&resource.spec, &settings.operand, running.as_ref()).pending
}
