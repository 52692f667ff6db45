//! The server of the previous release on what this operator writes: after an upgrade of the operator alone, and after a
//! roll-back of the server. Its data have another format than this release's, which refuses them.

use std::fs;

use serde_json::{Value, json};
use zas_cluster_tests::{PreviousRelease, Server, ask_server, built_server, self_signed, start_in_vain};
use zas_crd::ConditionType;

use crate::cluster;
use crate::full;
use crate::kind::DEPLOYMENT;
use crate::mounted::{Mounted, expect_accepted};
use crate::pushed::{Client, Image};
use crate::stage::{Reach, Stage};
use crate::status::{self, status};
use crate::worker::Worker;

/// A version of the operator's own server that is newer than any release.
const NEWER: &str = "999.0.0";

/// The operator of a later release, which comes with a server of its own.
fn newer_operator(stage: &Stage) -> Worker {
    let image = format!("--server-image=registry.test/zas:{NEWER}");
    stage.operator_with(&[&image, &format!("--server-version={NEWER}")])
}

fn previous_release() -> PreviousRelease {
    let previous = PreviousRelease::built();
    let words = ask_server(&previous.server, &["--version".to_owned()]);
    assert_eq!(
        words.expect_success().trim(),
        format!("zot-artifact-store {}", previous.version)
    );
    assert!(
        fs::read(&previous.server).unwrap() != fs::read(built_server()).unwrap(),
        "{} is the server of this release",
        previous.server.display()
    );
    previous
}

/// Serves the data of a Pod with the previous server, and starts the one that is built here on them: their format is
/// another one, so it refuses them by name and touches nothing, and the previous one goes on.
fn refuse_and_go_on(stage: &Stage, mounted: &Mounted, previous: &PreviousRelease) {
    let serve = |name: &str| {
        let name = format!("{name}-{}", stage.namespace);
        Server::start(&stage.cluster, &name, &previous.server, &mounted.arguments)
    };
    let image = Image::new("previous");
    let server = serve("previous");
    Client::new(&server, mounted).push(&image);
    server.stop();

    let refused = start_in_vain(&built_server(), &mounted.arguments);

    let words = format!("{}{}", refused.stdout(), refused.expect_failure());
    for part in [
        format!("written by version {}", previous.version),
        format!("serve it with version {}", previous.version),
    ] {
        assert!(words.contains(&part), "{words}");
    }
    let server = serve("went-on");
    Client::new(&server, mounted).pull(&image);
    server.stop();
    assert!(mounted.file("/data/metadata").is_dir() && mounted.file("/data/blobs").is_dir());
}

/// Whether a store is told of a version that is newer than the one it states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Newer {
    /// It waits for consent.
    Offered,
    /// The stated version is what is wanted.
    Unmentioned,
}

/// The store is as it should be, on the server that it states and not on the newer one.
async fn expect_at_ease(stage: &Stage, version: &str, newer: Newer) {
    let store = stage.until_ready("store").await;
    let (is_offered, offer) = match newer {
        Newer::Offered => (true, "UpdateAvailable"),
        Newer::Unmentioned => (false, "UpToDate"),
    };
    for (kind, holds, reason) in [
        (ConditionType::Degraded, false, "AsExpected"),
        (ConditionType::UpdateAvailable, is_offered, offer),
    ] {
        assert!(
            status::is(&store, kind, holds, reason),
            "{kind:?}: {:#?}",
            status(&store).conditions
        );
    }
    let deployment = stage.present(DEPLOYMENT, "store").await;
    let annotations = deployment["metadata"]["annotations"].as_object().unwrap();
    assert!(
        annotations.values().any(|value| value == version),
        "{annotations:?}"
    );
}

#[tokio::test]
async fn given_the_minimal_sample_when_its_server_is_the_previous_one_then_it_takes_what_the_operator_writes_and_its_data_are_refused_by_this_one()
 {
    let previous = previous_release();
    let stage = Stage::new("previous").await;
    let _operator = newer_operator(&stage);
    let sample = cluster::configuration("samples/zotartifactstore_minimal.yaml");
    stage.apply_here(&fs::read_to_string(sample).unwrap());
    stage
        .change_spec("store", json!({"version": previous.version}))
        .await;
    expect_at_ease(&stage, &previous.version, Newer::Unmentioned).await;

    let mounted = Mounted::of(&stage, "store").await;
    let check = mounted.arguments_after("--check-config");
    expect_accepted(&ask_server(&previous.server, &check));

    mounted.move_here();
    refuse_and_go_on(&stage, &mounted, &previous);
}

#[tokio::test]
async fn given_the_full_sample_when_its_server_is_the_previous_one_then_it_takes_what_the_operator_writes_and_its_data_are_refused_by_this_one()
 {
    let previous = previous_release();
    let stage = Stage::on(cluster::extended(), "previous-full", Reach::Namespace).await;
    let _operator = newer_operator(&stage);
    let (certificate, key) = self_signed();
    full::install_what_it_needs(&stage, &certificate, &key).await;
    let sample = cluster::configuration("samples/zotartifactstore_full.yaml");
    stage.apply_here(&fs::read_to_string(sample).unwrap());
    stage
        .change_spec("store", json!({"version": previous.version}))
        .await;
    full::expose(&stage).await;
    // The sample updates by consent.
    expect_at_ease(&stage, &previous.version, Newer::Offered).await;

    let mounted = Mounted::of(&stage, "store").await;
    let check = mounted.arguments_after("--check-config");
    expect_accepted(&ask_server(&previous.server, &check));
    let hot = fs::read_to_string(mounted.file("/config/hot/config.yaml")).unwrap();
    assert!(
        hot.contains("team-a/**"),
        "the rules of the sample are in it:\n{hot}"
    );

    mounted.move_here();
    refuse_and_go_on(&stage, &mounted, &previous);
}

#[tokio::test]
async fn given_a_running_store_when_it_goes_back_to_the_previous_version_then_only_the_server_changes_and_it_is_ready()
 {
    let stage = Stage::new("rolled-back").await;
    let previous = PreviousRelease::built();
    let _operator = newer_operator(&stage);
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;
    let image = |deployment: &Value| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let before = stage.present(DEPLOYMENT, "store").await;
    assert!(image(&before).ends_with(NEWER));

    stage
        .change_spec("store", json!({"version": previous.version}))
        .await;

    expect_at_ease(&stage, &previous.version, Newer::Unmentioned).await;
    let after = stage.present(DEPLOYMENT, "store").await;
    assert!(image(&after).ends_with(&previous.version), "{}", image(&after));
    assert_eq!(
        after["spec"]["template"]["spec"]["containers"][0]["args"],
        before["spec"]["template"]["spec"]["containers"][0]["args"]
    );
}
