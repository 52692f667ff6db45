//! What is installed: kustomize and Helm, through a strict API server.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use zas_cluster_tests::ControlPlane;

use crate::cluster::configuration;

const NAMESPACE: &str = "zot-artifact-store-operator";

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn chart() -> PathBuf {
    checkout().join("charts/zot-artifact-store-operator")
}

/// Runs a program as the administrator of the cluster; what it prints.
#[track_caller]
fn run(cluster: &ControlPlane, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(checkout())
        .env("KUBECONFIG", cluster.kubeconfig())
        .output()
        .unwrap_or_else(|error| panic!("{program} cannot be run ({error}): hack/setup.sh test installs it"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

fn helm(cluster: &ControlPlane, arguments: &[&str]) -> String {
    run(cluster, "helm", arguments)
}

/// What the API server says of manifests that are not kept.
#[track_caller]
fn check_strictly(cluster: &ControlPlane, what: &str, manifests: &str) {
    assert!(manifests.contains("kind:"), "{what} renders nothing");
    let arguments = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "--filename=-",
    ];
    let checked = cluster.kubectl_of(cluster.admin(), &arguments, manifests);
    assert!(checked.is_success(), "{what}: {}", checked.stderr());
    assert!(
        !checked.stderr().contains("Warning"),
        "{what}: {}",
        checked.stderr()
    );
}

#[test]
fn given_every_way_to_render_the_manifests_when_checked_strictly_then_the_api_server_has_no_objection() {
    let cluster = ControlPlane::builder().start();
    cluster.install_monitoring_crds();
    cluster.apply_crds(configuration("crd/zotartifactstore_crd.yaml"));
    for namespace in [NAMESPACE, "team-a"] {
        cluster
            .kubectl(&["create", "namespace", namespace])
            .expect_success();
    }
    for folder in ["default", "samples"] {
        let path = configuration(folder);
        let manifests = cluster.kubectl(&["kustomize", &path.display().to_string()]);
        check_strictly(&cluster, folder, manifests.expect_success());
    }
    let chart = chart().display().to_string();
    let common = ["template", "release", &chart, "--namespace", NAMESPACE];
    let variants: [&[&str]; 4] = [
        &[],
        &["--set", "watchNamespaces={team-a}"],
        &[
            "--set",
            "crds.enabled=false,rbac.aggregate=false,logFormat=text,rolloutConcurrency=3",
        ],
        &[
            "--set",
            "serviceMonitor.enabled=true,image.digest=sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ],
    ];
    for variant in variants {
        let manifests = helm(&cluster, &[&common[..], variant].concat());
        check_strictly(&cluster, &format!("{variant:?}"), &manifests);
        if variant.iter().any(|value| value.contains("watchNamespaces")) {
            assert!(
                !manifests.contains("kind: ClusterRole"),
                "no rights in the whole cluster: {manifests}"
            );
        }
    }
    helm(&cluster, &["lint", "--strict", &chart]);
}

/// The chart of the commit before this one; the present one where there is none.
fn previous_chart(directory: &Path) -> PathBuf {
    let extract = "set -e; git rev-parse --verify --quiet HEAD~1:charts/zot-artifact-store-operator >/dev/null; \
                   git archive HEAD~1 charts/zot-artifact-store-operator | tar -x -C \"$1\"";
    let extracted = Command::new("bash")
        .args(["-c", extract, "previous-chart"])
        .arg(directory)
        .current_dir(checkout())
        .status();
    if extracted.is_ok_and(|status| status.success()) {
        directory.join("charts/zot-artifact-store-operator")
    } else {
        chart()
    }
}

#[test]
fn given_the_chart_of_the_previous_commit_when_upgraded_and_removed_then_every_store_is_kept() {
    let cluster = ControlPlane::builder().start();
    let scratch = tempfile::tempdir().unwrap();
    let previous = previous_chart(scratch.path()).display().to_string();
    let release = ["release", "--namespace", NAMESPACE];
    helm(
        &cluster,
        &[
            &["install", release[0], &previous, "--create-namespace"],
            &release[1..],
        ]
        .concat(),
    );
    let store = json!({"apiVersion": "zot.candlekeep.io/v1alpha1", "kind": "ZotArtifactStore",
        "metadata": {"name": "store", "namespace": "default"}, "spec": {"deletionPolicy": "Delete"}});
    cluster.apply(&store.to_string());
    let identity = || {
        let arguments = [
            "get",
            "zas",
            "store",
            "--output=jsonpath={.metadata.uid} {.spec.deletionPolicy}",
        ];
        cluster.kubectl(&arguments).expect_success().to_owned()
    };
    let before = identity();

    helm(
        &cluster,
        &[
            &["upgrade", release[0], &chart().display().to_string()],
            &release[1..],
        ]
        .concat(),
    );
    assert_eq!(identity(), before);
    let revision = "jsonpath={.metadata.annotations.zot\\.candlekeep\\.io/schema-revision}";
    let arguments = [
        "get",
        "crd",
        "zotartifactstores.zot.candlekeep.io",
        "--output",
        revision,
    ];
    let installed = cluster.kubectl(&arguments).expect_success().to_owned();
    let definition = std::fs::read_to_string(configuration("crd/zotartifactstore_crd.yaml")).unwrap();
    assert!(
        !installed.is_empty() && definition.contains(&installed),
        "the definition is upgraded with the chart"
    );

    helm(&cluster, &[&["uninstall"], &release[..]].concat());
    assert_eq!(
        identity(),
        before,
        "the definition, and with it every store, is kept"
    );
}

#[test]
fn given_a_definition_that_kustomize_installed_when_helm_follows_then_it_stays_or_the_message_hands_it_over()
{
    let cluster = ControlPlane::builder().start();
    let definition = configuration("crd").display().to_string();
    let kustomized = ["apply", "--server-side", "--kustomize", &definition];
    cluster.kubectl(&kustomized).expect_success();
    let chart = chart().display().to_string();
    let upgrade = [
        "upgrade",
        "--install",
        "release",
        &chart,
        "--namespace",
        NAMESPACE,
        "--create-namespace",
    ];
    let annotations = || {
        let arguments = [
            "get",
            "crd",
            "zotartifactstores.zot.candlekeep.io",
            "--output=jsonpath={.metadata.annotations}",
        ];
        cluster.kubectl(&arguments).expect_success().to_owned()
    };

    let notes = helm(&cluster, &upgrade);
    assert!(notes.contains("something else installed it"), "{notes}");
    assert!(!annotations().contains("meta.helm.sh"), "{}", annotations());

    let other = "zot.candlekeep.io/schema-revision=000000000000";
    let name = "zotartifactstores.zot.candlekeep.io";
    cluster
        .kubectl(&["annotate", "crd", name, other, "--overwrite"])
        .expect_success();
    let refused = Command::new("helm")
        .args(upgrade)
        .env("KUBECONFIG", cluster.kubeconfig())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "a definition of another version stays");
    let commands: Vec<&str> = message
        .lines()
        .filter_map(|line| line.trim().strip_prefix("kubectl "))
        .collect();
    assert_eq!(commands.len(), 2, "{message}");
    for command in commands {
        cluster
            .kubectl(&command.split(' ').collect::<Vec<_>>())
            .expect_success();
    }
    helm(&cluster, &upgrade);
    assert!(!annotations().contains("000000000000"), "{}", annotations());
}

#[test]
fn given_images_of_another_registry_when_kustomized_then_operator_and_server_come_from_there() {
    let cluster = ControlPlane::builder().start();
    let scratch = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(configuration(""))
        .arg(scratch.path().join("config"))
        .status();
    assert!(copied.unwrap().success());
    let folder = scratch.path().join("config/default");
    let file = folder.join("kustomization.yaml");
    let images = "images:\n\
        - {name: quay.io/candlekeep/zot-artifact-store-operator, newName: mirror.example.com/operator}\n\
        - {name: quay.io/candlekeep/zot-artifact-store, newName: mirror.example.com/server}\n";
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + images).unwrap();

    let manifests = cluster.kubectl(&["kustomize", &folder.display().to_string()]);

    let manifests = manifests.expect_success();
    for place in [
        "image: mirror.example.com/operator:",
        "value: mirror.example.com/server:",
    ] {
        assert!(manifests.contains(place), "{place} is not in {manifests}");
    }
    assert!(!manifests.contains("quay.io"), "{manifests}");
}
