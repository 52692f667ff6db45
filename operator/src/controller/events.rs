//! Kubernetes events: one for each condition that changes its mind, none for what stays as it was.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType};
use zas_crd::ConditionType;

/// Longest note, in characters: the API allows 1,024 bytes.
const MAX_NOTE_BYTES: usize = 250;

/// The events of a change of conditions. Good news that nobody waited for is none: a new store does not announce that
/// it is not degraded.
pub(super) fn of(before: &[Condition], after: &[Condition]) -> Vec<Event> {
    after
        .iter()
        .filter(|now| {
            let old = before.iter().find(|old| old.type_ == now.type_);
            match old {
                Some(old) => old.status != now.status || (is_notable(now) && old.reason != now.reason),
                None => is_notable(now),
            }
        })
        .map(event)
        .collect()
}

/// Whether a condition says something that needs telling by itself.
fn is_notable(condition: &Condition) -> bool {
    let is_alarm = is_alarm_when_true(&condition.type_);
    let is_state = condition.type_ == ConditionType::Progressing.as_str()
        || condition.type_ == ConditionType::Paused.as_str();
    condition.status == "True" && (is_alarm || is_state)
}

fn is_alarm_when_true(kind: &str) -> bool {
    kind == ConditionType::Degraded.as_str()
}

fn event(condition: &Condition) -> Event {
    let is_bad = match condition.type_.as_str() {
        kind if is_alarm_when_true(kind) => condition.status == "True",
        "Available" => condition.status == "False" && condition.reason != "Stopped",
        _ => false,
    };
    Event {
        type_: if is_bad {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: condition.reason.clone(),
        note: Some(
            format!(
                "{} is {}: {}",
                condition.type_, condition.status, condition.message
            )
            .chars()
            .take(MAX_NOTE_BYTES)
            .collect(),
        ),
        action: condition.type_.clone(),
        secondary: None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn condition(kind: &str, status: &str, reason: &str) -> Condition {
        Condition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: "words".to_owned(),
            observed_generation: None,
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        }
    }

    fn reasons(before: &[Condition], after: &[Condition]) -> Vec<String> {
        of(before, after).into_iter().map(|event| event.reason).collect()
    }

    #[test]
    fn given_a_new_store_when_reported_then_only_its_start_is_an_event() {
        let after = [
            condition("Ready", "False", "Starting"),
            condition("Degraded", "False", "AsExpected"),
            condition("Progressing", "True", "Starting"),
        ];
        assert_eq!(reasons(&[], &after), ["Starting"]);
        assert_eq!(reasons(&after, &after), Vec::<String>::new(), "nothing changed");
    }

    #[test]
    fn given_a_problem_when_it_comes_changes_and_goes_then_each_is_an_event() {
        let fine = [condition("Degraded", "False", "AsExpected")];
        let missing = [condition("Degraded", "True", "SecretMissing")];
        let invalid = [condition("Degraded", "True", "SecretInvalid")];
        assert_eq!(reasons(&fine, &missing), ["SecretMissing"]);
        assert_eq!(reasons(&missing, &invalid), ["SecretInvalid"]);
        assert_eq!(reasons(&invalid, &fine), ["AsExpected"]);
        assert!(matches!(of(&fine, &missing)[0].type_, EventType::Warning));
        assert!(matches!(of(&missing, &fine)[0].type_, EventType::Normal));
    }
}
