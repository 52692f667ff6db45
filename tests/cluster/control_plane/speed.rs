//! How long it takes until everything of a new store is there.

use std::collections::BTreeMap;

use serde_json::json;
use zas_cluster_tests::AuditMark;

use crate::stage::Stage;

const STORES: usize = 20;

/// Seconds of the day of an RFC 3339 time. The test does not run at midnight for long.
fn seconds(time: &str) -> f64 {
    let clock = time.split(['T', 'Z']).nth(1).unwrap();
    clock
        .split(':')
        .fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap())
}

#[tokio::test]
async fn given_twenty_stores_when_they_are_created_then_each_has_all_objects_soon() {
    let stage = Stage::new("speed").await;
    let _operator = stage.operator();
    for number in 0..STORES {
        let name = format!("s{number:02}");
        stage.create_store(&name, json!({})).await;
        stage.until_ready(&name).await;
    }

    let mut created = BTreeMap::new();
    for event in stage.cluster.audit_log().events() {
        if event.user == "admin"
            && event.verb == "create"
            && event.resource == "zotartifactstores"
            && event.namespace == stage.namespace
        {
            created.insert(event.name.clone(), seconds(&event.time));
        }
    }
    let applied: Vec<_> = stage
        .writes(AuditMark::default())
        .into_iter()
        .filter(|write| write.code == 201 && write.resource != "events")
        .collect();
    let mut delays: Vec<f64> = (0..STORES)
        .map(|number| {
            let name = format!("s{number:02}");
            let own = applied.iter().filter(|write| write.name.contains(&name));
            let last = own.map(|write| seconds(&write.time)).fold(0.0, f64::max);
            (last - created.get(&name).or_else(|| created.get("")).unwrap()) * 1000.0
        })
        .collect();
    delays.sort_unstable_by(f64::total_cmp);
    let (median, slowest) = (delays[STORES / 2], delays[STORES - 1]);
    println!(
        "created until all objects are applied: median {median:.0} ms, slowest of {STORES} {slowest:.0} ms"
    );
    assert!(delays[0] > 0.0 && slowest < 10_000.0, "{delays:?}");
}
