//! One store's life, from the first command to the last.

use std::fs;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use zas_cluster_tests::eventually;

use crate::LIMIT;
use crate::images::{DemoImage, VERSION};
use crate::registry::Registry;
use crate::world::World;

/// The kubelet brings a changed ConfigMap into a Pod within a minute, the server looks every two seconds.
const HOT_LIMIT: Duration = Duration::from_secs(90);

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn given_the_readmes_commands_when_typed_then_a_store_runs_and_lives_through_everything_that_happens_to_it()
 {
    let world = World::new(&["first", "second", "third", "fourth"]).await;

    let printed = world.follow_the_readme();
    let store = world.ready("store").await;
    assert!(
        printed.contains(&world.password("store").await),
        "the last command prints the password"
    );
    let status = store.status.unwrap_or_default();
    assert_eq!(status.url.as_deref(), Some("http://store.default.svc"));
    the_server_tells_its_version(&world).await;

    let registry = world.registry("store").await;
    registry.push(&world.node, &world.demo.archive, "demo/image:1");
    let digest = registry.digest(&world.node, "demo/image:1");
    registry.pull(&world.node, "demo/image:1", &world.scratch.path().join("pulled"));

    an_upload_goes_on_after_its_pod_is_deleted(&world, &registry).await;
    a_hot_change_restarts_nothing(&world, &registry).await;
    a_kubelet_pulls_from_the_store(&world, &registry).await;
    a_restart_change_restarts_once(&world).await;
    a_new_operator_restarts_nothing(&world).await;
    assert_eq!(registry.digest(&world.node, "demo/image:1"), digest);

    data_outlives_a_resource_that_retains_them(&world, &digest).await;
    data_that_were_there_before_outlive_a_resource_that_deletes(&world).await;
    nothing_outlives_a_resource_that_deletes(&world).await;
    a_store_runs_as_any_user(&world).await;
}

async fn the_server_tells_its_version(world: &World) {
    eventually("the version is reported", LIMIT, async || {
        let store = world.stores().get("store").await.ok()?;
        (store.status?.version? == VERSION).then_some(())
    })
    .await;
}

/// Sends a chunk that is kept, then a slow one during which the Pod goes, and the rest to its successor.
async fn an_upload_goes_on_after_its_pod_is_deleted(world: &World, registry: &Registry) {
    let node = &world.node;
    let content: Vec<u8> = (0..48 * MIB)
        .map(|at| u8::try_from((at * 2_654_435_761) >> 13 & 0xff).unwrap_or(0))
        .collect();
    let file = |name: &str, bytes: &[u8]| {
        let path = world.scratch.path().join(name);
        fs::write(&path, bytes).expect("the scratch directory is writable");
        path
    };
    let (kept, rest) = content.split_at(usize::try_from(8 * MIB).unwrap_or(0));
    let whole = file("whole", &content);
    let sum = node.run(&["sha256sum", &whole.display().to_string()]);
    let digest = format!(
        "sha256:{}",
        sum.expect_success().split_whitespace().next().unwrap_or_default()
    );

    let upload = registry.begin_upload(node, "demo/upload");
    let upload = registry.patch(node, &upload, &file("kept", kept), 0, 8 * MIB);
    let slow = registry.slow_patch(&upload, &file("rest", rest), MIB);
    let (program, arguments) = slow.split_first().expect("a command has a program");
    let mut sending = node
        .command(program)
        .args(arguments)
        .spawn()
        .expect("curl is installed");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let pod = world.pod("store").await;
    world.delete_pod("store").await;
    eventually("another Pod has taken over", LIMIT, async || {
        let pods = world.pods("store").await;
        (pods.len() == 1 && !pods.contains(&pod)).then_some(())
    })
    .await;
    let _ = sending.wait();

    let offset = eventually("the upload is known to the successor", LIMIT, async || {
        registry.offset(node, &upload)
    })
    .await;
    assert!(
        (8 * MIB..48 * MIB).contains(&offset),
        "at least what was acknowledged is kept: {offset}"
    );
    let (_, missing) = content.split_at(usize::try_from(offset).unwrap_or(0));
    let length = u64::try_from(missing.len()).unwrap_or(0);
    let upload = registry.patch(node, &upload, &file("missing", missing), offset, length);
    registry.close_upload(node, &upload, &digest);
    let pulled = world.scratch.path().join("blob");
    registry.blob(node, "demo/upload", &digest, &pulled);
    assert_eq!(fs::read(&pulled).expect("it was pulled"), content);
    world.ready("store").await;
}

async fn a_hot_change_restarts_nothing(world: &World, registry: &Registry) {
    let (pod, rollouts) = (world.pod("store").await, world.rollouts("store"));
    assert_eq!(registry.anonymous(&world.node, "/v2/demo/image/tags/list"), "401");
    world.change("store", r#"{"spec": {"access": {"anonymous": "Pull"}}}"#);
    eventually("anonymous clients may pull", HOT_LIMIT, async || {
        (registry.anonymous(&world.node, "/v2/demo/image/tags/list") == "200").then_some(())
    })
    .await;
    world.ready("store").await;
    assert_eq!(
        (world.pod("store").await, world.rollouts("store")),
        (pod, rollouts)
    );
}

async fn a_kubelet_pulls_from_the_store(world: &World, registry: &Registry) {
    let host = registry.address.to_string();
    world.node.allow_plain_http(&host);
    let pod = serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "puller"},
        "spec": {"restartPolicy": "Never", "containers": [
            {"name": "demo", "image": format!("{host}/demo/image:1"), "imagePullPolicy": "Always"}]},
    });
    world.node.control_plane().apply(&pod.to_string());
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), "default");
    eventually("a Pod of an image in the store has run", LIMIT, async || {
        let phase = pods.get("puller").await.ok()?.status?.phase?;
        (phase == "Succeeded").then_some(())
    })
    .await;
    let log = world.kubectl(&["logs", "puller"]);
    assert_eq!(log.expect_success().trim(), DemoImage::GREETING);
}

async fn a_restart_change_restarts_once(world: &World) {
    let (pod, rollouts) = (world.pod("store").await, world.rollouts("store"));
    world.change(
        "store",
        r#"{"spec": {"http": {"trustedProxies": ["10.250.0.0/16"]}}}"#,
    );
    eventually("another Pod runs", LIMIT, async || {
        let pods = world.pods("store").await;
        (pods.len() == 1 && !pods.contains(&pod)).then_some(())
    })
    .await;
    world.ready("store").await;
    assert_eq!(world.rollouts("store"), rollouts + 1);
}

async fn a_new_operator_restarts_nothing(world: &World) {
    let (pod, rollouts) = (world.pod("store").await, world.rollouts("store"));
    world.restart_operator();
    world.change("store", r#"{"spec": {"logging": {"level": "debug"}}}"#);
    world.ready("store").await;
    assert_eq!(
        (world.pod("store").await, world.rollouts("store")),
        (pod, rollouts)
    );
}

async fn data_outlives_a_resource_that_retains_them(world: &World, digest: &str) {
    let password = world.password("store").await;
    world.scale_operator(0);
    delete_store(world, "store").await;
    assert!(world.has("pvc", "data-store") && world.has("secret", "store-admin"));

    world.scale_operator(1);
    world.node.control_plane().apply(STORE);
    let store = world.ready("store").await;
    assert_eq!(world.password("store").await, password);
    let volume = store.status.and_then(|status| status.data_volume);
    assert!(
        volume.is_some_and(|volume| volume.adopted),
        "the claim was there before"
    );
    let registry = world.registry("store").await;
    assert_eq!(registry.digest(&world.node, "demo/image:1"), digest);
}

/// What a store found when it was made is not its own, whatever its policy says.
async fn data_that_were_there_before_outlive_a_resource_that_deletes(world: &World) {
    world.change("store", r#"{"spec": {"deletionPolicy": "Delete"}}"#);
    world.ready("store").await;
    delete_store(world, "store").await;
    // As long as the garbage collector took for the Pods, which it deletes no sooner.
    assert!(world.has("pvc", "data-store"));
    for (kind, name) in [("pvc", "data-store"), ("secret", "store-admin")] {
        world
            .kubectl(&["delete", kind, name, "--ignore-not-found", "--timeout=60s"])
            .expect_success();
    }
}

async fn nothing_outlives_a_resource_that_deletes(world: &World) {
    world.node.control_plane().apply(STORE);
    world.ready("store").await;
    world.change("store", r#"{"spec": {"deletionPolicy": "Delete"}}"#);
    world.ready("store").await;
    world.scale_operator(0);
    delete_store(world, "store").await;
    eventually("claim and credentials are gone", LIMIT, async || {
        (!world.has("pvc", "data-store") && !world.has("secret", "store-admin")).then_some(())
    })
    .await;
    world.scale_operator(1);
}

/// Deletes a store, and waits until its Pods are gone.
async fn delete_store(world: &World, name: &str) {
    world
        .kubectl(&["delete", "zas", name, "--timeout=60s"])
        .expect_success();
    eventually("the garbage collector has taken the Pods", LIMIT, async || {
        (world.pods(name).await.is_empty() && !world.has("deployment", name)).then_some(())
    })
    .await;
}

/// As OpenShift does it: a user id from the namespace's range, group 0.
async fn a_store_runs_as_any_user(world: &World) {
    let store = r"
apiVersion: zot.candlekeep.io/v1alpha1
kind: ZotArtifactStore
metadata: {name: tenant, namespace: default}
spec: {pod: {securityContext: {runAsUser: 1000660000, runAsGroup: 0}}}
";
    world.node.control_plane().apply(store);
    world.ready("tenant").await;
    let registry = world.registry("tenant").await;
    registry.push(&world.node, &world.demo.archive, "demo/image:1");
    registry.pull(
        &world.node,
        "demo/image:1",
        &world.scratch.path().join("pulled-again"),
    );
}

/// The minimal sample again.
const STORE: &str = r"
apiVersion: zot.candlekeep.io/v1alpha1
kind: ZotArtifactStore
metadata: {name: store, namespace: default}
spec: {}
";
