//! Several replicas of the operator.

use std::time::{Duration, Instant};

use serde_json::json;
use zas_cluster_tests::{eventually, wait_until};

use crate::kind::CONFIG_MAP;
use crate::stage::{LIMIT, Stage};
use crate::worker::Worker;

/// What a replica that is killed may cost: its lease, and a little for the successor.
const FAILOVER: Duration = Duration::from_secs(20);

/// What a replica that is told to stop may cost.
const HANDOVER: Duration = Duration::from_secs(10);

fn replica(stage: &Stage, name: &str) -> Worker {
    let namespace = format!("--watch-namespace={}", stage.namespace);
    stage.any_operator(name, &["--lease-duration=6", &namespace])
}

fn leads(worker: &Worker) -> bool {
    worker.number("zas_operator_leader") == 1.0
}

/// Two replicas, the leader first, with a store that is ready.
async fn two_replicas(stage: &Stage) -> (Worker, Worker) {
    let first = replica(stage, "first");
    wait_until("the first replica leads", LIMIT, || leads(&first));
    let second = replica(stage, "second");
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;
    assert!(!leads(&second) && second.looks() == 0.0, "the second only waits");
    (first, second)
}

/// Changes the store and waits until the settings show it.
async fn expect_work(stage: &Stage, level: &str) {
    stage
        .change_spec("store", json!({"logging": {"level": level}}))
        .await;
    stage
        .until(CONFIG_MAP, "store-settings", "is renewed", |map| {
            map["data"]["config.yaml"]
                .as_str()
                .is_some_and(|text| text.contains(level))
        })
        .await;
}

#[tokio::test]
async fn given_two_replicas_when_the_leader_is_killed_then_the_other_works_soon() {
    let stage = Stage::new("killed").await;
    let (first, second) = two_replicas(&stage).await;

    let start = Instant::now();
    first.kill();
    expect_work(&stage, "debug").await;

    println!("failover after a kill: {:?}", start.elapsed());
    assert!(start.elapsed() < FAILOVER && leads(&second));
}

#[tokio::test]
async fn given_two_replicas_when_the_leader_is_told_to_stop_then_it_hands_over() {
    let stage = Stage::new("handover").await;
    let (first, second) = two_replicas(&stage).await;

    let start = Instant::now();
    first.stop();
    expect_work(&stage, "debug").await;

    println!("handover: {:?}", start.elapsed());
    assert!(start.elapsed() < HANDOVER && leads(&second));
}

#[tokio::test]
async fn given_a_leader_that_hangs_when_it_wakes_after_its_successor_took_over_then_it_ends_without_writing()
{
    let stage = Stage::new("hangs").await;
    let (first, second) = two_replicas(&stage).await;
    let first = first.into_operator();

    first.freeze();
    expect_work(&stage, "debug").await;
    stage.settle(&second, "store").await;
    let mark = stage.mark();
    // What it would have to do if it still led.
    let looks = second.looks();
    stage
        .merge(
            CONFIG_MAP,
            "store-settings",
            json!({"data": {"config.yaml": "altered"}}),
        )
        .await;
    second.looks_again(looks).await;
    let woken = stage.settle(&second, "store").await;
    first.thaw();
    first.wait(LIMIT);
    stage.expect_no_writes(woken);

    let repaired: Vec<_> = stage.writes(mark);
    assert_eq!(
        repaired
            .iter()
            .filter(|write| write.name == "store-settings")
            .count(),
        1,
        "{repaired:#?}"
    );
    eventually("the successor still leads", LIMIT, async || {
        leads(&second).then_some(())
    })
    .await;
}
