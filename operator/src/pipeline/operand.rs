//! Which image and version a store runs.

use zas_crd::{ConditionReason, UpdatePolicy, ZotArtifactStoreSpec};

use crate::problem::Problem;
use crate::store::Operand;

/// What a store runs, and what waits for consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What runs.
    pub operand: Operand,
    /// The version that would run if the update were allowed.
    pub pending: Option<String>,
}

/// Chooses what a store runs: what it states, else what the operator comes with. Under the update policy `Manual` a
/// store keeps what runs already, `running`, until it states a version.
///
/// # Errors
/// When the image of the stated version is not known.
pub fn choose(
    spec: &ZotArtifactStoreSpec,
    offered: &Operand,
    running: Option<&Operand>,
) -> Result<Choice, Problem> {
    if let Some(version) = &spec.version {
        let image = match &spec.image.reference {
            Some(reference) => reference.clone(),
            None => image_of(version, offered)?,
        };
        return Ok(Choice {
            operand: Operand {
                image,
                version: version.clone(),
            },
            pending: None,
        });
    }
    match running {
        Some(running) if spec.update_policy == UpdatePolicy::Manual && running != offered => Ok(Choice {
            operand: running.clone(),
            pending: Some(offered.version.clone()),
        }),
        _ => Ok(Choice {
            operand: offered.clone(),
            pending: None,
        }),
    }
}

/// The image of a version: the operator's own, or the same one under another tag.
fn image_of(version: &str, offered: &Operand) -> Result<String, Problem> {
    if version == offered.version {
        return Ok(offered.image.clone());
    }
    // A port is a colon too: the tag is what follows the last one after the last slash.
    let is_pinned = offered.image.contains('@');
    let last_slash = offered.image.rfind('/').map_or(0, |at| at + 1);
    let (path, name) = offered.image.split_at(last_slash);
    match name.split_once(':') {
        Some((name, tag)) if !is_pinned && tag == offered.version => Ok(format!("{path}{name}:{version}")),
        _ => Err(Problem::new(
            ConditionReason::InvalidSpec,
            format!(
                "the image of spec.version {version} is not known: this operator comes with {}; state \
                 spec.image.reference as well",
                offered.version
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(value: serde_json::Value) -> ZotArtifactStoreSpec {
        serde_json::from_value(value).unwrap()
    }

    fn operand(image: &str, version: &str) -> Operand {
        Operand {
            image: image.to_owned(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn given_nothing_stated_when_chosen_then_the_operators_own_runs() {
        let offered = operand("registry:5000/zas:0.3.0", "0.3.0");
        let old = operand("registry:5000/zas:0.2.0", "0.2.0");
        for running in [None, Some(&old), Some(&offered)] {
            let choice = choose(&spec(json!({})), &offered, running).unwrap();
            assert_eq!((choice.operand, choice.pending), (offered.clone(), None));
        }
    }

    #[test]
    fn given_manual_updates_when_the_operator_is_newer_then_the_running_version_stays_until_one_is_stated() {
        let offered = operand("registry:5000/zas:0.3.0", "0.3.0");
        let old = operand("registry:5000/zas:0.2.0", "0.2.0");
        let manual = json!({"updatePolicy": "Manual"});
        let choice = choose(&spec(manual.clone()), &offered, Some(&old)).unwrap();
        assert_eq!(
            (choice.operand, choice.pending.as_deref()),
            (old.clone(), Some("0.3.0"))
        );
        let first = choose(&spec(manual), &offered, None).unwrap();
        assert_eq!((first.operand, first.pending), (offered.clone(), None));
        let consent = json!({"updatePolicy": "Manual", "version": "0.3.0"});
        assert_eq!(
            choose(&spec(consent), &offered, Some(&old)).unwrap().operand,
            offered
        );
    }

    #[test]
    fn given_another_version_when_chosen_then_its_image_is_the_same_repository_or_must_be_stated() {
        let stated = json!({"version": "0.2.5"});
        let tagged = operand("registry:5000/zas:0.3.0", "0.3.0");
        assert_eq!(
            choose(&spec(stated.clone()), &tagged, None)
                .unwrap()
                .operand
                .image,
            "registry:5000/zas:0.2.5"
        );
        for image in ["registry:5000/zas@sha256:00", "registry:5000/zas", "zas:latest"] {
            let problem = choose(&spec(stated.clone()), &operand(image, "0.3.0"), None).unwrap_err();
            assert!(
                problem.message.contains("spec.image.reference"),
                "{image}: {problem:?}"
            );
        }
        let both = json!({"version": "0.2.5", "image": {"reference": "mirror/zas@sha256:11"}});
        assert_eq!(
            choose(&spec(both), &tagged, None).unwrap().operand,
            operand("mirror/zas@sha256:11", "0.2.5")
        );
    }
}
