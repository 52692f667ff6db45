//! The rules of Kubernetes' Pod Security standard `restricted` and of OpenShift's constraint `restricted-v2`, as
//! functions of a Pod's specification.

use serde_json::Value;

/// The kinds of volumes that both allow.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn containers(pod: &Value) -> Vec<&Value> {
    ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .filter_map(|list| pod[*list].as_array())
        .flatten()
        .collect()
}

/// What `restricted` finds wrong.
pub(super) fn restricted(pod: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod[field] == true {
            problems.push(format!("{field} is set"));
        }
    }
    problems.extend(volumes(pod));
    if pod["securityContext"]["runAsUser"] == 0 {
        problems.push("the Pod runs as root".to_owned());
    }
    for container in containers(pod) {
        problems.extend(container_problems(pod, container));
    }
    problems
}

fn volumes(pod: &Value) -> Vec<String> {
    let volumes = pod["volumes"].as_array().into_iter().flatten();
    volumes
        .filter(|volume| VOLUMES.iter().all(|kind| volume.get(kind).is_none()))
        .map(|volume| format!("volume {} has a forbidden source", volume["name"]))
        .collect()
}

fn container_problems(pod: &Value, container: &Value) -> Vec<String> {
    let own = &container["securityContext"];
    // What the container does not state comes from the Pod.
    let effective = |field: &str| match own.get(field) {
        Some(value) => value.clone(),
        None => pod["securityContext"][field].clone(),
    };
    let capabilities = &own["capabilities"];
    let list = |name: &str| capabilities[name].as_array().cloned().unwrap_or_default();
    let has_host_port = container["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|port| port.get("hostPort").is_some());
    let seccomp = effective("seccompProfile")["type"].clone();
    let rules = [
        (effective("runAsNonRoot") == true, "runAsNonRoot is not true"),
        (own["runAsUser"] != 0, "the container runs as root"),
        (
            own["allowPrivilegeEscalation"] == false,
            "allowPrivilegeEscalation is not false",
        ),
        (own["privileged"] != true, "it is privileged"),
        (
            seccomp == "RuntimeDefault" || seccomp == "Localhost",
            "it has no seccomp profile",
        ),
        (
            list("drop").iter().any(|name| name == "ALL"),
            "it does not drop ALL",
        ),
        (
            list("add").iter().all(|name| name == "NET_BIND_SERVICE"),
            "it adds capabilities",
        ),
        (
            own.get("procMount").is_none_or(|mount| mount == "Default"),
            "it unmasks /proc",
        ),
        (!has_host_port, "it has a host port"),
    ];
    rules
        .iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, problem)| format!("{}: {problem}", container["name"]))
        .collect()
}

/// What `restricted-v2` finds wrong: as above, and users, groups and SELinux options are chosen by the cluster.
pub(super) fn restricted_v2(pod: &Value) -> Vec<String> {
    let mut problems = restricted(pod);
    let contexts = containers(pod)
        .into_iter()
        .map(|container| &container["securityContext"]);
    for context in contexts.chain([&pod["securityContext"]]) {
        for field in ["runAsUser", "fsGroup", "seLinuxOptions", "sysctls"] {
            if context.get(field).is_some() {
                problems.push(format!("{field} is chosen by the cluster"));
            }
        }
        let seccomp = context["seccompProfile"]["type"].as_str();
        if seccomp.is_some_and(|profile| profile != "RuntimeDefault") {
            problems.push("only the runtime's seccomp profile is allowed".to_owned());
        }
    }
    problems
}
