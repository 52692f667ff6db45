//! Which image and version a store runs.

use zas_config::ServerVersion;
use zas_crd::{ConditionReason, UpdatePolicy, ZotArtifactStoreSpec};

use crate::problem::Problem;
use crate::store::Operand;

/// What a store runs, and what waits for consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What runs; or why that is not known, in which case the store stays with what it runs.
    pub operand: Result<Operand, Problem>,
    /// The newer version that would run if the update were allowed.
    pub pending: Option<String>,
}

/// Chooses what a store runs: what it states, else what the operator comes with. Under the update policy `Manual` a
/// store stays with version and image of `running` until it states another version, and is offered what is newer than
/// what it has consented to.
pub fn choose(spec: &ZotArtifactStoreSpec, offered: &Operand, running: Option<&Operand>) -> Choice {
    let is_manual = spec.update_policy == UpdatePolicy::Manual;
    let operand = match &spec.version {
        Some(version) => stated(spec, version, offered, running),
        None => Ok(running.filter(|_| is_manual).unwrap_or(offered).clone()),
    };
    let chosen = match (&operand, &spec.version) {
        (Ok(operand), _) => Some(operand.version.as_str()),
        (Err(_), stated) => stated.as_deref(),
    };
    let is_newer = chosen.is_some_and(|version| is_newer(&offered.version, version));
    Choice {
        pending: (is_manual && is_newer).then(|| offered.version.clone()),
        operand,
    }
}

fn stated(
    spec: &ZotArtifactStoreSpec,
    version: &str,
    offered: &Operand,
    running: Option<&Operand>,
) -> Result<Operand, Problem> {
    let with_image = |image: String| Operand {
        image,
        version: version.to_owned(),
    };
    if let Some(reference) = &spec.image.reference {
        return Ok(with_image(reference.clone()));
    }
    let is_running = running.filter(|running| running.version == version);
    let is_offered = Some(offered).filter(|offered| offered.version == version);
    let known = match spec.update_policy {
        UpdatePolicy::Manual => is_running.or(is_offered),
        UpdatePolicy::Automatic => is_offered.or(is_running),
    };
    match known {
        Some(operand) => Ok(operand.clone()),
        None => image_of(version, offered).map(with_image),
    }
}

/// The same image as the operator's own under the tag of another version.
fn image_of(version: &str, offered: &Operand) -> Result<String, Problem> {
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

/// What is no version is neither newer nor older.
fn is_newer(offered: &str, chosen: &str) -> bool {
    let parsed = |text: &str| text.parse::<ServerVersion>().ok();
    parsed(offered)
        .zip(parsed(chosen))
        .is_some_and(|(offered, chosen)| offered > chosen)
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

    fn tagged(version: &str) -> Operand {
        operand(&format!("registry:5000/zas:{version}"), version)
    }

    fn pinned(version: &str) -> Operand {
        operand(&format!("registry:5000/zas@sha256:{version}"), version)
    }

    #[test]
    fn given_nothing_stated_when_chosen_then_the_operators_own_runs() {
        let offered = tagged("0.3.0");
        for running in [None, Some(&tagged("0.2.0")), Some(&offered)] {
            let choice = choose(&spec(json!({})), &offered, running);
            assert_eq!((choice.operand, choice.pending), (Ok(offered.clone()), None));
        }
    }

    #[test]
    fn given_manual_updates_when_the_operator_is_newer_then_the_running_version_stays_until_one_is_stated() {
        let (offered, old) = (tagged("0.3.0"), tagged("0.2.0"));
        let manual = json!({"updatePolicy": "Manual"});
        let choice = choose(&spec(manual.clone()), &offered, Some(&old));
        assert_eq!(
            (choice.operand, choice.pending.as_deref()),
            (Ok(old.clone()), Some("0.3.0"))
        );
        let first = choose(&spec(manual), &offered, None);
        assert_eq!((first.operand, first.pending), (Ok(offered.clone()), None));
        let consent = json!({"updatePolicy": "Manual", "version": "0.3.0"});
        let consented = choose(&spec(consent), &offered, Some(&old));
        assert_eq!((consented.operand, consented.pending), (Ok(offered), None));
    }

    #[test]
    fn given_a_consent_when_a_later_version_comes_then_it_is_offered_and_the_pinned_image_of_the_consent_stays()
     {
        let consented = spec(json!({"updatePolicy": "Manual", "version": "0.3.0"}));
        let running = pinned("0.3.0");
        let choice = choose(&consented, &pinned("0.4.0"), Some(&running));
        assert_eq!(choice.operand, Ok(running), "what runs is known to the store");
        assert_eq!(choice.pending.as_deref(), Some("0.4.0"));
    }

    #[test]
    fn given_an_older_operator_when_chosen_then_no_downgrade_is_offered() {
        let running = tagged("0.3.0");
        for manual in [
            json!({"updatePolicy": "Manual"}),
            json!({"updatePolicy": "Manual", "version": "0.3.0"}),
        ] {
            let choice = choose(&spec(manual), &tagged("0.2.0"), Some(&running));
            assert_eq!((choice.operand, choice.pending), (Ok(running.clone()), None));
        }
    }

    #[test]
    fn given_another_version_when_chosen_then_its_image_is_the_same_repository_or_must_be_stated() {
        let stated = json!({"version": "0.2.5"});
        let choice = choose(&spec(stated.clone()), &tagged("0.3.0"), None);
        assert_eq!(choice.operand.unwrap().image, "registry:5000/zas:0.2.5");
        for image in ["registry:5000/zas@sha256:00", "registry:5000/zas", "zas:latest"] {
            let choice = choose(&spec(stated.clone()), &operand(image, "0.3.0"), None);
            let problem = choice.operand.unwrap_err();
            assert!(
                problem.message.contains("spec.image.reference"),
                "{image}: {problem:?}"
            );
        }
        let both = json!({"version": "0.2.5", "image": {"reference": "mirror/zas@sha256:11"}});
        assert_eq!(
            choose(&spec(both), &tagged("0.3.0"), None).operand,
            Ok(operand("mirror/zas@sha256:11", "0.2.5"))
        );
    }
}
