//! Operators that may not see the whole cluster.

use std::collections::BTreeSet;

use serde_json::json;
use zas_cluster_tests::AuditMark;

use crate::rights;
use crate::stage::Stage;

#[tokio::test]
async fn given_rights_in_two_namespaces_when_an_operator_looks_after_both_then_it_never_looks_into_a_third() {
    let (one, two, three) = (
        Stage::new("one").await,
        Stage::new("two").await,
        Stage::new("three").await,
    );
    one.install(&rights::of_namespaces(
        &one.namespace,
        &[&one.namespace, &two.namespace],
    ));
    for stage in [&three, &one, &two] {
        stage.create_store("store", json!({})).await;
    }

    let namespaces = format!("--watch-namespace={},{}", one.namespace, two.namespace);
    let _operator = one.any_operator("operator", &["--no-leader-election", &namespaces]);
    one.until_ready("store").await;
    two.until_ready("store").await;

    assert!(three.everything_made().await.is_empty());
    assert!(three.stores().get("store").await.unwrap().status.is_none());
    let asked = one
        .requests(AuditMark::default())
        .into_iter()
        .filter(|event| !event.resource.is_empty());
    let seen: BTreeSet<_> = asked.map(|event| event.namespace).collect();
    assert_eq!(
        seen,
        BTreeSet::from([one.namespace.clone(), two.namespace.clone()])
    );
}
