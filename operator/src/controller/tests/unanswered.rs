//! An API server that does not answer.

use super::*;

const SOON: Duration = Duration::from_secs(5);
const TIMED_OUT: &str = "zas_operator_reconcile_errors_total{reason=\"TimedOut\"}";

#[tokio::test(start_paused = true)]
async fn given_a_server_that_never_answers_for_a_store_when_a_minute_is_over_then_the_look_is_begun_anew_and_others_went_on()
 {
    let stage = Stage::start();
    stage.server.ignore("/services/stuck");
    stage.store("stuck", json!({}));
    let start = Instant::now();
    until("the look at the store hangs", SOON, || {
        !stage.server.asked("/services/stuck").is_empty()
    })
    .await;
    let asked = stage.server.asked("/services/stuck").len();

    stage.store("fine", json!({}));
    until("the other store is made", SOON, || {
        stage.exists("deployments", "fine")
    })
    .await;
    stage.store("fine", json!({"logging": {"level": "debug"}}));
    until("and changed", SOON, || {
        let settings = stage.server.get("configmaps", "fine-settings");
        settings.is_some_and(|settings| settings["data"].to_string().contains("debug"))
    })
    .await;
    assert!(!stage.exists("deployments", "stuck"), "it hangs before");
    assert_eq!(stage.number(TIMED_OUT), 0);
    assert_eq!(
        stage.server.asked("/services/stuck").len(),
        asked,
        "one look at a time"
    );

    until("the look ends", Duration::from_secs(61), || {
        stage.number(TIMED_OUT) == 1
    })
    .await;
    let took = start.elapsed();
    assert!(
        (Duration::from_secs(60)..Duration::from_secs(62)).contains(&took),
        "{took:?}"
    );

    until("it is begun anew", SOON, || {
        stage.server.asked("/services/stuck").len() > asked
    })
    .await;
    stage.server.answer_again();
    // The request that hangs is given up with its look.
    until("the next but one succeeds", Duration::from_secs(70), || {
        stage.exists("deployments", "stuck")
    })
    .await;
    until("its status is written", SOON, || {
        let store = stage.server.get(STORES, "stuck");
        store.is_some_and(|store| store["status"]["observedGeneration"] == 1)
    })
    .await;
    assert_eq!(stage.number(TIMED_OUT), 2);
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn given_looks_that_hang_when_they_fail_again_and_again_then_the_pauses_between_them_grow_for_that_store_alone()
 {
    let stage = Stage::start();
    stage.server.ignore("/services/stuck");
    stage.store("stuck", json!({}));
    until("five looks end", Duration::from_secs(400), || {
        stage.number(TIMED_OUT) == 5
    })
    .await;

    let mut begun = stage.server.asked("/services/stuck");
    // The requests of one look come at the same time.
    begun.dedup_by_key(|when| when.elapsed().as_secs());
    let pauses: Vec<f64> = begun
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64() - 60.0)
        .map(f64::round)
        .collect();
    // What the first look wrote is a reason to look again at once.
    assert!(pauses[0] <= 1.0, "{pauses:?}");
    assert_eq!(pauses[1..], [2.0, 4.0, 8.0]);

    stage.store("fine", json!({}));
    let pause = until("another store is looked at", SOON, || {
        stage.exists("deployments", "fine")
    })
    .await;
    assert!(pause < Duration::from_secs(1), "{pause:?}");
    stage.stop().await;
}
