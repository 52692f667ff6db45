//! A settled store costs nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use zas_cluster_tests::AuditMark;

use crate::kind::{CLAIM, DEPLOYMENT, Kind, SECRET, STORE};
use crate::stage::Stage;
use crate::worker::Worker;

const LOOKS: usize = 10;

/// Each kind is watched apart: what was written before may be seen after what was written later.
const WATCHES: Duration = Duration::from_secs(1);

impl Stage {
    /// Waits until everything that the operator does about a store is done.
    pub(crate) async fn settle(&self, worker: &Worker, store: &str) -> AuditMark {
        self.until_ready(store).await;
        loop {
            let mark = self.mark();
            self.force_look(worker, store).await;
            let looks = worker.looks();
            tokio::time::sleep(WATCHES).await;
            if self.writes(mark).is_empty() && worker.looks() == looks {
                return self.mark();
            }
        }
    }

    /// Makes the operator look at a store, by a label of somebody else on its Deployment.
    pub(crate) async fn force_look(&self, worker: &Worker, store: &str) {
        let looks = worker.looks();
        let patch = json!({"metadata": {"labels": {"example.com/look": format!("{looks}")}}});
        self.merge(DEPLOYMENT, store, patch).await;
        worker.looks_again(looks).await;
    }

    async fn versions(&self) -> BTreeMap<(Kind, String), Value> {
        let made = self.everything_made().await.into_iter();
        made.map(|(key, object)| (key, object["metadata"]["resourceVersion"].clone()))
            .collect()
    }
}

#[tokio::test]
async fn given_a_settled_store_when_it_is_looked_at_ten_times_then_nothing_is_written_and_hardly_anything_read()
 {
    let stage = Stage::new("settled").await;
    let operator = stage.operator();
    stage.create_store("store", json!({})).await;
    let mark = stage.settle(&operator, "store").await;
    let before = operator.looks();

    for _ in 0..LOOKS {
        stage.force_look(&operator, "store").await;
    }

    let looks = operator.looks() - before;
    let mut requests = stage.requests(mark);
    // A watch that ends is asked for again: that is no part of a look.
    requests.retain(|event| event.verb != "watch");
    println!("{} requests in {looks} looks at a settled store", requests.len());
    stage.expect_no_writes(mark);
    assert!(looks >= 10.0 && requests.len() <= LOOKS, "{requests:#?}");
}

#[tokio::test]
async fn given_a_settled_store_when_unrelated_things_change_then_it_is_not_even_looked_at() {
    let stage = Stage::new("unrelated").await;
    let operator = stage.operator();
    stage.create_store("store", json!({})).await;
    let mark = stage.settle(&operator, "store").await;
    let before = operator.looks();

    for number in 0..5 {
        stage
            .create_secret(&format!("unrelated-{number}"), &[("key", "value")])
            .await;
        stage
            .merge(
                STORE,
                "store",
                json!({"metadata": {"annotations": {"example.com/note": format!("{number}")}}}),
            )
            .await;
    }
    stage.delete(SECRET, "unrelated-0").await;
    // One look that is asked for comes after all that could have been asked for before.
    stage.force_look(&operator, "store").await;

    assert_eq!(operator.looks() - before, 1.0);
    stage.expect_no_writes(mark);
}

#[tokio::test]
async fn given_a_settled_store_when_the_operator_is_restarted_then_one_pass_of_applications_changes_nothing()
{
    let stage = Stage::new("restarted").await;
    let operator = stage.operator();
    // An API server writes a claim anew at the first empty application after its creation. A bound one is beyond that.
    stage.offer_volume("data-store");
    stage.create_store("store", json!({})).await;
    stage
        .until(CLAIM, "data-store", "is bound", |claim| {
            claim["status"]["phase"] == "Bound"
        })
        .await;
    stage.settle(&operator, "store").await;
    let before = stage.versions().await;
    operator.stop();
    let mark = stage.mark();

    let operator = stage.operator();
    operator.looks_again(0.0).await;
    let after_start = stage.settle(&operator, "store").await;

    let mut versions = stage.versions().await;
    // The test itself makes the operator look by a label on it.
    versions.remove(&(DEPLOYMENT, "store".to_owned()));
    for (key, version) in &versions {
        assert_eq!(Some(version), before.get(key), "{key:?}");
    }
    let mut written = BTreeMap::new();
    for write in stage.writes(mark) {
        *written.entry((write.resource, write.name)).or_insert(0) += 1;
    }
    println!("{} objects were applied again after the restart", written.len());
    assert!(
        written.len() <= before.len() && written.values().all(|count| *count == 1),
        "{written:?}"
    );
    stage.force_look(&operator, "store").await;
    stage.expect_no_writes(after_start);
}
