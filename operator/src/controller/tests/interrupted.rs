//! Watches that end.

use super::*;

/// Two failures of a watch in a row are at most so far apart.
const LIMIT: Duration = Duration::from_secs(60);

/// What every store has, by plural name, kind and name.
const CHILDREN: [(&str, &str, &str); 6] = [
    ("serviceaccounts", "ServiceAccount", "store"),
    ("configmaps", "ConfigMap", "store-settings"),
    ("persistentvolumeclaims", "PersistentVolumeClaim", "data-store"),
    ("services", "Service", "store-metrics"),
    ("networkpolicies", "NetworkPolicy", "store"),
    ("deployments", "Deployment", "store"),
];

async fn settled() -> Stage {
    let stage = Stage::start();
    stage.store("store", json!({}));
    until("the store is made", LIMIT, || {
        CHILDREN
            .iter()
            .all(|(plural, _, name)| stage.exists(plural, name))
    })
    .await;
    stage
}

fn interruptions(stage: &Stage, kind: &str) -> u64 {
    stage.number(&format!("zas_operator_watch_errors_total{{kind=\"{kind}\"}}"))
}

#[tokio::test(start_paused = true)]
async fn given_a_watch_that_is_told_410_when_an_object_went_meanwhile_then_a_new_list_shows_it_and_it_is_made_again()
 {
    let stage = settled().await;
    for (plural, kind, name) in CHILDREN {
        assert_eq!(interruptions(&stage, kind), 0, "{kind}");
        stage.server.expire(plural, |server| server.delete(plural, name));
        assert!(!stage.exists(plural, name), "{kind}");

        until(kind, LIMIT, || stage.exists(plural, name)).await;

        assert_eq!(interruptions(&stage, kind), 1, "{kind}");
    }
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn given_a_watch_whose_connection_breaks_when_an_object_goes_meanwhile_then_it_continues_where_it_was()
{
    let stage = settled().await;
    for (plural, kind, name) in CHILDREN {
        let listed = stage.server.asked(plural).len();
        stage.server.cut(plural, |server| server.delete(plural, name));

        until(kind, LIMIT, || stage.exists(plural, name)).await;

        assert!(interruptions(&stage, kind) >= 1, "{kind}");
        assert!(stage.server.asked(plural).len() > listed, "{kind}");
    }
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn given_the_watch_of_the_stores_when_it_ends_in_either_way_then_new_stores_are_made_and_old_ones_changed()
 {
    let stage = settled().await;
    stage.server.expire(STORES, |_| stage.store("second", json!({})));
    until("the second store is made", LIMIT, || {
        stage.exists("deployments", "second")
    })
    .await;
    assert_eq!(interruptions(&stage, zas_crd::KIND), 1);

    stage.server.cut(STORES, |_| stage.store("third", json!({})));
    until("the third store is made", LIMIT, || {
        stage.exists("deployments", "third")
    })
    .await;
    assert!(interruptions(&stage, zas_crd::KIND) >= 2);

    stage.store("store", json!({"logging": {"level": "debug"}}));
    until("the first store follows its resource", LIMIT, || {
        let settings = stage.server.get("configmaps", "store-settings");
        settings.is_some_and(|settings| settings["data"].to_string().contains("debug"))
    })
    .await;
    stage.stop().await;
}
