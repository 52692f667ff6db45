//! Why a server does not start, as its Pod tells.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::Api;
use kube::api::ListParams;
use zas_crd::ConditionReason;

use crate::children::StoreKey;
use crate::labels;
use crate::problem::Problem;
use crate::resources::SERVER_CONTAINER;

/// The exit code of a server that meets data which a newer version wrote.
const EXIT_NEWER_DATA: i32 = 65;

/// Pods that are looked at: more would say the same.
const PODS: u32 = 5;

/// Containers that restart at least so often are failing, not starting.
const RESTARTS: i32 = 2;

/// Looks into the Pods of a store that does not serve.
///
/// # Errors
/// When the API server does not answer.
pub async fn of(client: &kube::Client, store: &StoreKey) -> kube::Result<Option<Problem>> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &store.namespace);
    let selector = format!("{}={}", labels::STORE, store.name);
    let list = pods
        .list(&ListParams::default().labels(&selector).limit(PODS))
        .await?;
    Ok(list.items.iter().find_map(failure))
}

/// What is wrong with a Pod, if it does not pass by itself.
fn failure(pod: &Pod) -> Option<Problem> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let status = pod.status.as_ref()?;
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    let server = containers
        .iter()
        .find(|container| container.name == SERVER_CONTAINER);
    if let Some(problem) = server.and_then(|container| container_failure(name, container)) {
        return Some(problem);
    }
    let unscheduled = status.conditions.iter().flatten().find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    })?;
    Some(failing(
        name,
        "cannot be scheduled",
        unscheduled.message.as_deref(),
    ))
}

fn container_failure(pod: &str, container: &ContainerStatus) -> Option<Problem> {
    let now = container.state.as_ref();
    let ended = now
        .and_then(|state| state.terminated.as_ref())
        .or_else(|| container.last_state.as_ref()?.terminated.as_ref());
    if let Some(ended) = ended.filter(|ended| ended.exit_code == EXIT_NEWER_DATA) {
        let words = ended.message.as_deref().map_or("", str::trim);
        let message = format!("the data was written by a newer version than spec.version runs: {words}");
        return Some(Problem::new(
            ConditionReason::UpgradeBlocked,
            message.trim_end_matches([':', ' ']),
        ));
    }
    let waiting = now.and_then(|state| state.waiting.as_ref());
    match waiting.and_then(|waiting| waiting.reason.as_deref()) {
        Some(
            reason @ ("ErrImagePull"
            | "ImagePullBackOff"
            | "InvalidImageName"
            | "ErrImageNeverPull"
            | "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"),
        ) => Some(failing(
            pod,
            &format!("does not start ({reason}, image {})", container.image),
            waiting.and_then(|waiting| waiting.message.as_deref()),
        )),
        _ if container.restart_count >= RESTARTS && !container.ready => {
            let ended = ended?;
            let what = format!(
                "restarted {} times, last with exit code {}",
                container.restart_count, ended.exit_code
            );
            Some(failing(pod, &what, ended.message.as_deref()))
        }
        _ => None,
    }
}

fn failing(pod: &str, what: &str, words: Option<&str>) -> Problem {
    // A log's last lines are worth reading, all of them are not.
    let words: String = words.unwrap_or_default().trim().chars().take(600).collect();
    let message = if words.is_empty() {
        format!("Pod {pod} {what}: see kubectl logs {pod} and kubectl describe pod {pod}")
    } else {
        format!("Pod {pod} {what}: {words}")
    };
    Problem::new(ConditionReason::PodFailing, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal")]
    fn diagnosed(status: Value) -> Option<Problem> {
        failure(&serde_json::from_value(json!({"metadata": {"name": "store-1"}, "status": status})).unwrap())
    }

    #[expect(clippy::needless_pass_by_value, reason = "literals")]
    fn container(state: Value, last: Value, restarts: i32) -> Value {
        json!({"containerStatuses": [{"name": "server", "image": "zas:9", "imageID": "", "ready": false,
            "restartCount": restarts, "state": state, "lastState": last}]})
    }

    #[test]
    fn given_newer_data_when_the_server_refuses_then_the_upgrade_is_blocked_with_its_words() {
        let ended =
            json!({"terminated": {"exitCode": 65, "message": "data has format 2, written by 0.9.0\n"}});
        for status in [
            container(ended.clone(), json!({}), 0),
            container(json!({}), ended, 1),
        ] {
            let problem = diagnosed(status).unwrap();
            assert_eq!(problem.reason, ConditionReason::UpgradeBlocked);
            assert!(
                problem.message.ends_with("written by 0.9.0"),
                "{}",
                problem.message
            );
        }
    }

    #[test]
    fn given_pods_that_cannot_start_when_diagnosed_then_the_cause_is_named() {
        let image = container(
            json!({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}),
            json!({}),
            0,
        );
        let crash = container(
            json!({"waiting": {"reason": "CrashLoopBackOff"}}),
            json!({"terminated": {"exitCode": 78, "message": "wrong field"}}),
            3,
        );
        let nowhere = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]});
        for (status, expected) in [
            (image, "zas:9"),
            (crash, "exit code 78: wrong field"),
            (nowhere, "0/3 nodes"),
        ] {
            let problem = diagnosed(status).unwrap();
            assert_eq!(problem.reason, ConditionReason::PodFailing);
            assert!(problem.message.contains(expected), "{}", problem.message);
        }
    }

    #[test]
    fn given_a_pod_that_is_starting_when_diagnosed_then_nothing_is_wrong() {
        let creating = container(json!({"waiting": {"reason": "ContainerCreating"}}), json!({}), 0);
        assert_eq!(diagnosed(creating), None);
        assert_eq!(
            diagnosed(container(
                json!({"running": {}}),
                json!({"terminated": {"exitCode": 137}}),
                1
            )),
            None
        );
    }
}
