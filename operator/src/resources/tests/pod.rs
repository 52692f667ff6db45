//! The Deployment and its Pod.

use serde_json::{Value, json};

use super::fixtures::{Fixture, store, store_on};
use super::{at, container_of, only, pod_of};
use crate::children::ChildKind;
use crate::labels;
use crate::platform::Platform;
use crate::store::ProxySettings;

fn template_hash(store: &Fixture) -> Value {
    let deployment = only(store, ChildKind::Deployment);
    at(&deployment, "/metadata/annotations")[labels::TEMPLATE_ANNOTATION].clone()
}

#[test]
fn given_changes_when_built_then_only_those_that_need_a_restart_change_the_template() {
    let before = store("{}");
    let mut hot = before.clone();
    hot.hot_configuration.push_str("# more\n");
    let mut restart = before.clone();
    restart.release.configuration.push_str("# more\n");
    let mut version = before.clone();
    version.release.operand.version = "9.9.9".to_owned();
    let hash = template_hash(&before);
    assert_eq!(template_hash(&hot), hash, "hot configuration");
    assert_eq!(template_hash(&version), hash, "the version of the same image");
    assert_eq!(template_hash(&store("replicas: 0")), hash, "stopping");
    assert_ne!(template_hash(&restart), hash, "restart configuration");
    assert_ne!(template_hash(&store("pod: {labels: {a: b}}")), hash, "the Pod");
}

#[test]
fn given_a_version_that_is_no_label_when_built_then_only_the_annotation_has_it() {
    for (version, label) in [("0.3.0", Some("0.3.0")), ("0.3.0-rc.", None)] {
        let mut store = store("{}");
        store.release.operand.version = version.to_owned();
        let metadata = only(&store, ChildKind::Deployment)["metadata"].clone();
        assert_eq!(metadata["annotations"][labels::VERSION_ANNOTATION], version);
        assert_eq!(metadata["labels"]["app.kubernetes.io/version"].as_str(), label);
    }
}

#[test]
fn given_labels_of_the_pod_when_built_then_the_selector_still_finds_it() {
    let store = store("pod: {labels: {team: a, zot.candlekeep.io/store: other}}");
    let deployment = only(&store, ChildKind::Deployment);
    let pod = at(&deployment, "/spec/template/metadata/labels");
    assert_eq!(pod["team"], "a");
    let selector = at(&deployment, "/spec/selector/matchLabels").as_object().unwrap();
    assert!(!selector.is_empty());
    for (key, value) in selector {
        assert_eq!(&pod[key], value, "{key}");
    }
}

#[test]
fn given_a_grace_when_built_then_start_up_and_rollout_are_given_the_time_for_it() {
    for (spec, threshold, deadline) in [
        ("{}", 60, 600),
        ("pod: {terminationGracePeriodSeconds: 60}", 60, 600),
        ("pod: {terminationGracePeriodSeconds: 61}", 61, 600),
        ("pod: {terminationGracePeriodSeconds: 3600}", 1240, 7320),
        ("pod: {probes: {startup: {periodSeconds: 1}}}", 150, 600),
        ("pod: {probes: {startup: {failureThreshold: 7}}}", 7, 600),
    ] {
        let deployment = only(&store(spec), ChildKind::Deployment);
        let probe = at(&deployment, "/spec/template/spec/containers/0/startupProbe");
        assert_eq!(probe["failureThreshold"], threshold, "{spec}");
        assert_eq!(
            at(&deployment, "/spec/progressDeadlineSeconds"),
            deadline,
            "{spec}"
        );
    }
}

#[test]
fn given_probes_when_built_then_they_ask_the_operational_port_with_default_timings() {
    let container = container_of(&store("tls: {type: Secret, secretRef: {name: tls}}"));
    for (name, path, period, failures) in [
        ("startupProbe", "/startupz", 3, 60),
        ("readinessProbe", "/readyz", 5, 3),
        ("livenessProbe", "/livez", 10, 6),
    ] {
        assert_eq!(
            container[name],
            json!({"httpGet": {"path": path, "port": "operations"}, "periodSeconds": period,
                "timeoutSeconds": 5, "failureThreshold": failures})
        );
    }
    assert_eq!(
        at(&container, "/ports/1"),
        &json!({"name": "operations", "containerPort": 9090, "protocol": "TCP"})
    );
}

#[test]
fn given_mounts_when_built_then_only_data_and_scratch_are_writable_and_none_is_a_sub_path() {
    let container = container_of(&store(
        "access: {htpasswdRef: {name: u, key: k}}\ntls: {type: Secret, secretRef: {name: t}}\nnetwork: {trustedCaRef: {name: c, key: k}}",
    ));
    let mounts = container["volumeMounts"].as_array().unwrap();
    assert_eq!(mounts.len(), 8);
    for mount in mounts {
        let is_writable = mount.get("readOnly").is_none();
        let path = mount["mountPath"].as_str().unwrap();
        assert_eq!(is_writable, ["/data", "/tmp"].contains(&path), "{path}");
        assert!(mount.get("subPath").is_none(), "{path}");
        assert!(mount["name"].as_str().unwrap().starts_with("zas-"));
    }
}

#[test]
fn given_configuration_when_built_then_the_pod_mounts_what_is_made() {
    let store = store("{}");
    let maps = super::all(&store, ChildKind::ConfigMap);
    let pod = pod_of(&store);
    assert_eq!(at(&pod, "/volumes/0/configMap/name"), &json!(maps[0].key.name));
    assert_eq!(at(&pod, "/volumes/1/configMap/name"), &json!(maps[1].key.name));
    assert_eq!(
        container_of(&store)["args"],
        json!([
            "--config",
            "/config/server/config.yaml",
            "--config",
            "/config/hot/config.yaml"
        ])
    );
}

#[test]
fn given_a_proxy_and_a_stated_variable_when_built_then_each_name_occurs_once_and_the_stated_one_wins() {
    let mut store = store("pod: {extraEnv: [{name: NO_PROXY, value: mine}]}");
    store.proxy = ProxySettings {
        none: Some("theirs".to_owned()),
        ..ProxySettings::default()
    };
    assert_eq!(
        container_of(&store)["env"],
        json!([{"name": "no_proxy", "value": "theirs"}, {"name": "NO_PROXY", "value": "mine"}])
    );
}

#[test]
fn given_trusted_authorities_when_built_then_those_of_the_system_stay() {
    let container = container_of(&store("network: {trustedCaRef: {name: ca, key: k}}"));
    let value = at(&container, "/env/0");
    assert_eq!(value["name"], "SSL_CERT_DIR");
    let folders: Vec<_> = value["value"].as_str().unwrap().split(':').collect();
    assert_eq!(
        folders,
        ["/etc/ssl/certs", "/etc/pki/tls/certs", "/config/trusted-ca"]
    );
    assert!(container_of(&store("{}")).get("env").is_none());
}

#[test]
fn given_stated_resources_when_built_then_they_replace_the_defaults_as_a_whole() {
    let stated = container_of(&store("pod: {resources: {limits: {cpu: '2'}}}"));
    assert_eq!(stated["resources"], json!({"limits": {"cpu": "2"}}));
    assert_eq!(
        container_of(&store("{}"))["resources"],
        json!({"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}})
    );
}

#[test]
fn given_stated_security_when_built_then_it_wins_field_by_field_and_contradicts_no_default() {
    let root = store("pod: {securityContext: {runAsUser: 0}, containerSecurityContext: {privileged: true}}");
    let pod = pod_of(&root);
    assert_eq!(at(&pod, "/securityContext/runAsNonRoot"), false);
    assert_eq!(at(&pod, "/securityContext/fsGroup"), 1001);
    let container = at(&pod, "/containers/0/securityContext");
    assert_eq!(container["allowPrivilegeEscalation"], true);
    assert_eq!(container["capabilities"], json!({"drop": ["ALL"]}));

    let bound = container_of(&store(
        "pod: {containerSecurityContext: {capabilities: {add: [NET_BIND_SERVICE]}, readOnlyRootFilesystem: false}}",
    ));
    assert_eq!(
        bound["securityContext"],
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": false,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}})
    );
}

#[test]
fn given_openshift_when_built_then_user_and_group_are_left_to_it() {
    let pod = pod_of(&store_on(Platform::new(true, []), "{}"));
    let context = at(&pod, "/securityContext");
    assert!(context.get("fsGroup").is_none() && context.get("runAsUser").is_none());
    assert_eq!(context["fsGroupChangePolicy"], "OnRootMismatch");
}
