use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, fs};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{Api, DeleteParams, PostParams, PropagationPolicy};

use crate::remains::processes_of;
use crate::{ControlPlane, Operator, eventually, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// Asks a run of this test program to hold a control plane until it is killed.
const HOLD: &str = "ZAS_TEST_HOLD";

/// For the tests that do not end it: the guardian ends it after the last one.
static SHARED: LazyLock<ControlPlane> = LazyLock::new(|| ControlPlane::builder().start());

fn config_map(name: &str, owner: Option<OwnerReference>) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("key".to_owned(), "value".to_owned())])),
        ..ConfigMap::default()
    }
}

#[tokio::test]
async fn given_a_control_plane_when_a_config_map_is_applied_then_it_can_be_read_and_the_audit_log_shows_who_wrote_it()
 {
    let control_plane = &*SHARED;
    let log = control_plane.audit_log();
    let mark = log.mark();

    control_plane
        .apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {colour: green}}");

    let api: Api<ConfigMap> = Api::default_namespaced(control_plane.client().await);
    let stored = api.get("settings").await.unwrap();
    assert_eq!(
        stored.data.unwrap().get("colour").map(String::as_str),
        Some("green")
    );
    let mut writes = log.writes_by("admin", mark);
    writes.retain(|write| write.name == "settings");
    let [write] = writes.as_slice() else {
        panic!("one write was expected: {writes:?}");
    };
    assert_eq!(
        (write.verb.as_str(), write.resource.as_str()),
        ("patch", "configmaps")
    );
    assert_eq!(
        (write.namespace.as_str(), write.name.as_str()),
        ("default", "settings")
    );
    assert_eq!((write.code, write.subresource.as_str()), (201, ""));
    let reads = log.since(mark).into_iter().filter(|event| !event.is_write());
    assert!(
        reads
            .clone()
            .any(|event| event.verb == "get" && event.name == "settings")
    );
}

#[tokio::test]
async fn given_an_owned_object_when_its_owner_is_deleted_then_the_garbage_collector_deletes_it() {
    let control_plane = &*SHARED;
    let api: Api<ConfigMap> = Api::default_namespaced(control_plane.client().await);
    let owner = api
        .create(&PostParams::default(), &config_map("owner", None))
        .await
        .unwrap();
    let reference = OwnerReference {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        name: "owner".to_owned(),
        uid: owner.metadata.uid.unwrap(),
        ..OwnerReference::default()
    };
    let child = config_map("child", Some(reference));
    api.create(&PostParams::default(), &child).await.unwrap();

    let background = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        ..DeleteParams::default()
    };
    api.delete("owner", &background).await.unwrap();

    eventually("the child is deleted", LIMIT, async || {
        api.get_opt("child").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn given_a_service_account_without_rights_when_it_writes_then_it_is_refused_and_the_audit_log_names_it()
{
    let control_plane = &*SHARED;
    control_plane
        .apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: stranger, namespace: default}}");
    let stranger = control_plane.service_account("default", "stranger");
    let mark = control_plane.audit_log().mark();

    let api: Api<ConfigMap> = Api::default_namespaced(control_plane.client_of(&stranger).await);
    let refused = api
        .create(&PostParams::default(), &config_map("forbidden", None))
        .await;

    assert!(matches!(refused, Err(kube::Error::Api(status)) if status.is_forbidden()));
    let writes = control_plane
        .audit_log()
        .writes_by("system:serviceaccount:default:stranger", mark);
    assert_eq!(writes.iter().map(|write| write.code).collect::<Vec<_>>(), [403]);
}

#[tokio::test]
async fn given_the_neighbours_definitions_when_they_are_installed_then_their_kinds_are_served() {
    let control_plane = &*SHARED;

    control_plane.install_route_crd();
    control_plane.install_monitoring_crds();
    control_plane.install_cert_manager_crds();
    control_plane.install_gateway_crds();

    let output = control_plane.kubectl(&["api-resources", "--output=name"]);
    let served: Vec<_> = output.expect_success().lines().collect();
    for kind in [
        "routes.route.openshift.io",
        "servicemonitors.monitoring.coreos.com",
        "prometheusrules.monitoring.coreos.com",
        "certificates.cert-manager.io",
        "httproutes.gateway.networking.k8s.io",
    ] {
        assert!(served.contains(&kind), "{kind} is not among {served:?}");
    }
}

#[test]
fn given_yaml_with_an_unknown_field_when_it_is_applied_then_it_is_refused() {
    let control_plane = &*SHARED;

    let output =
        control_plane.try_apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: wrong}, date: {}}");

    assert!(output.expect_failure().contains("date"), "{}", output.stderr());
}

#[test]
fn given_a_program_as_operator_when_it_is_stopped_then_it_had_its_kubeconfig_arguments_and_environment() {
    let control_plane = &*SHARED;
    let admin = control_plane.admin().clone();
    let script =
        "trap 'echo stopping; exit 0' TERM; echo \"$KUBECONFIG $COLOUR $1\"; while true; do sleep 0.1; done";

    let operator = Operator::builder(control_plane, &admin)
        .binary("/bin/bash")
        .arguments(["-c", script, "operator", "first"])
        .environment("COLOUR", "green")
        .start();
    let expected = format!("{} green first\n", admin.kubeconfig().display());
    wait_until("the program has started", LIMIT, || operator.log() == expected);

    let nobody = SocketAddr::from(([127, 0, 0, 1], Operator::free_port()));
    assert_eq!(operator.get(nobody, "/readyz"), None);
    operator.stop();
}

#[test]
fn given_a_control_plane_with_an_operator_when_it_is_dropped_then_nothing_is_left_behind() {
    let control_plane = ControlPlane::builder().scheduler(true).start();
    let admin = control_plane.admin().clone();
    let operator = Operator::builder(&control_plane, &admin)
        .binary("/bin/sleep")
        .arguments(["1000"])
        .start();
    let directory = control_plane.directory.path().to_owned();
    // etcd, API server, controller manager, scheduler and the operator
    assert_eq!(processes_of(&directory).len(), 5);

    drop(control_plane);
    assert!(directory.is_dir(), "the operator still uses the directory");
    drop(operator);

    assert_eq!(processes_of(&directory), Vec::<PathBuf>::new());
    assert!(!directory.try_exists().unwrap());
}

/// Not a test by itself: the next one runs this in a process that it kills.
#[test]
fn held_until_killed() {
    let Some(file) = env::var_os(HOLD) else { return };
    let control_plane = ControlPlane::builder().start();
    let directory = control_plane.directory.path().to_str().unwrap();
    fs::write(&file, directory).unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn given_a_test_process_when_it_is_killed_then_nothing_is_left_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("directory");
    let mut holder = Command::new(env::current_exe().unwrap())
        .args(["--exact", "control_plane_tests::held_until_killed"])
        .env(HOLD, &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the control plane runs", 2 * LIMIT, || {
        fs::read_to_string(&file).is_ok_and(|text| !text.is_empty())
    });
    let directory = PathBuf::from(fs::read_to_string(&file).unwrap());
    assert_eq!(processes_of(&directory).len(), 3);

    holder.kill().unwrap();
    holder.wait().unwrap();

    wait_until("the directory is removed", LIMIT, || {
        !directory.try_exists().unwrap()
    });
    assert_eq!(processes_of(&directory), Vec::<PathBuf>::new());
}
