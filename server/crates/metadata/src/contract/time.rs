use std::time::Duration;

use super::cases;
use super::setting::{DOOM_DELAY, GRACE, LEASE, MOMENT, Setting, origin, repository};
use crate::{DueLink, ReapOutcome, WriterOutcome};

cases![
    given_clocks_that_drift_apart_when_collecting_then_it_pauses_for_one_grace,
    given_clocks_that_drift_apart_when_an_upload_seems_to_have_expired_then_it_stays_for_one_grace,
    given_clocks_that_drift_a_little_when_collecting_then_it_goes_on,
    given_a_second_jump_when_collecting_then_the_pause_begins_anew,
    given_a_jump_when_pushing_then_nothing_else_pauses,
];

async fn given_clocks_that_drift_apart_when_collecting_then_it_pauses_for_one_grace(given: Setting) {
    let ours = repository("ours");
    let (layer, name) = given.push_file(&ours, "layer").await;
    let (aborted, epoch) = given.start(&ours).await;
    given.store.abort_upload(&origin(), aborted, epoch).await.unwrap();
    let due = DueLink {
        due_at: given.now().plus(LEASE),
        holder: ours.clone(),
        digest: layer,
    };

    // Every lease seems to be over, but no time has passed.
    given.jump(LEASE * 5);

    assert_eq!(given.store.take_due(9).await.unwrap(), []);
    assert_eq!(given.store.reap(&due).await.unwrap(), ReapOutcome::Later);
    assert_eq!(given.doomed().await, []);
    given.pass(GRACE - MOMENT);
    assert_eq!(given.store.reap(&due).await.unwrap(), ReapOutcome::Later);
    assert!(given.stat(&ours, &layer).await.is_some());

    given.pass(MOMENT);
    assert_eq!(given.doomed().await, [epoch.name(aborted, 0)]);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
}

async fn given_clocks_that_drift_apart_when_an_upload_seems_to_have_expired_then_it_stays_for_one_grace(
    given: Setting,
) {
    let ours = repository("ours");
    let (id, _) = given.start(&ours).await;
    let listed = given.store.list_uploads(None, 1).await.unwrap().entries.remove(0);

    given.jump(LEASE * 5);

    let expire = async || given.store.expire_upload(&origin(), &listed).await;
    assert_eq!(expire().await.unwrap(), WriterOutcome::Fenced);
    given.pass(GRACE - MOMENT);
    assert_eq!(expire().await.unwrap(), WriterOutcome::Fenced);
    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(0));
    given.pass(MOMENT);
    assert_eq!(expire().await.unwrap(), WriterOutcome::Done);
}

async fn given_clocks_that_drift_a_little_when_collecting_then_it_goes_on(given: Setting) {
    let (_, name) = given.push_file(&repository("ours"), "layer").await;
    given.pass(LEASE);
    given.jump(Duration::from_mins(5));
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
    given.jump(MOMENT);
    assert_eq!(given.doomed().await, []);
}

async fn given_a_second_jump_when_collecting_then_the_pause_begins_anew(given: Setting) {
    let (_, name) = given.push_file(&repository("ours"), "layer").await;
    given.jump(LEASE);
    assert_eq!(given.outcomes().await, []);
    given.pass(GRACE - MOMENT);
    // The monotonic clock runs on while the wall clock stands still: it was set back.
    given.pass_monotonic(Duration::from_mins(6));
    assert_eq!(given.outcomes().await, []);
    given.pass(GRACE - MOMENT);
    assert_eq!(given.outcomes().await, []);
    given.pass(MOMENT);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
}

async fn given_a_jump_when_pushing_then_nothing_else_pauses(given: Setting) {
    let ours = repository("ours");
    given.jump(LEASE);
    let (layer, _) = given.push_file(&ours, "layer").await;
    assert!(given.renew(&ours, &layer).await.is_some());
    given.pass(DOOM_DELAY);
    given.store.ping().await.unwrap();
}
