use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use zas_core::ManualClock;

use super::*;
use crate::memory_map::MemoryMap;
use crate::ordered_map::Durability;
use crate::{Lease, MetadataError, MetadataStore as _, Presence, Progress, ReferenceEdge, WriterOutcome};

struct Given {
    store: Arc<Disturbed<MemoryMap>>,
    control: Arc<Control>,
    clock: Arc<ManualClock>,
}

impl Given {
    fn new() -> Self {
        let (control, clock) = (Arc::default(), clock());
        Self {
            store: disturbed(MemoryMap::default(), &control, &clock),
            control,
            clock,
        }
    }

    /// Holds the committer in a write until everything is queued up behind it.
    async fn queue_up<T: Send + 'static>(
        &self,
        changes: Vec<impl Future<Output = T> + Send + 'static>,
    ) -> Vec<T> {
        self.control.hold();
        let store = Arc::clone(&self.store);
        let first = tokio::spawn(async move {
            store
                .create_upload(&origin(), &repository("first"), upload_id(1))
                .await
        });
        while !self.control.is_waiting() {
            tokio::task::yield_now().await;
        }
        let mut queued: Vec<_> = changes.into_iter().map(Box::pin).collect();
        let mut context = Context::from_waker(Waker::noop());
        for change in &mut queued {
            assert!(change.as_mut().poll(&mut context).is_pending());
        }
        self.control.release();
        first.await.unwrap().unwrap();
        let mut answers = Vec::new();
        for change in queued {
            answers.push(change.await);
        }
        answers
    }
}

#[tokio::test]
async fn given_waiting_operations_when_written_then_in_groups_with_one_sync_each() {
    let given = Given::new();
    let pushes = (0..200).map(|number| {
        let store = Arc::clone(&given.store);
        async move {
            store
                .finish_upload(&origin(), push(&repository("ours"), &format!("blob {number}")))
                .await
        }
    });

    for outcome in given.queue_up(pushes.collect()).await {
        outcome.unwrap();
    }

    // The upload that keeps the others waiting, and the number of the start. Four rows each: blob, bytes, link and due entry. A group ends after 64 operations, or earlier when it takes
    // longer than a group may.
    let written = given.control.take_written();
    assert_eq!(written.iter().map(|write| write.rows).sum::<usize>(), 2 + 200 * 4);
    assert!(written.iter().all(|write| write.rows <= 64 * 4), "{written:?}");
    assert!(
        written[1..]
            .iter()
            .all(|write| write.durability == Durability::Synced),
        "{written:?}"
    );
    assert!(written.len() > 4 && written.len() < 100, "{written:?}");
}

#[tokio::test]
async fn given_large_operations_when_written_then_a_group_ends_with_the_one_that_fills_it() {
    const BODY: usize = 1 << 20;
    let given = Given::new();
    let pushes = (0..12).map(|number| {
        let store = Arc::clone(&given.store);
        let body = format!("{number}{}", "x".repeat(BODY));
        async move {
            store
                .commit_manifest(&origin(), manifest(&repository("ours"), &body))
                .await
        }
    });

    for outcome in given.queue_up(pushes.collect()).await {
        outcome.unwrap();
    }

    let written = given.control.take_written();
    assert!(written.iter().all(|write| write.bytes < 5 * BODY), "{written:?}");
}

#[tokio::test]
async fn given_operations_that_need_no_sync_when_alone_then_none_and_with_others_then_one() {
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));

    store.create_upload(&origin(), &ours, upload_id(5)).await.unwrap();
    let claim = store.claim_upload(&ours, upload_id(5)).await.unwrap().unwrap();
    assert_eq!(
        store.touch_upload(upload_id(5), claim.epoch).await.unwrap(),
        WriterOutcome::Done
    );
    let durabilities = |given: &Given| -> Vec<_> {
        given
            .control
            .take_written()
            .into_iter()
            .map(|write| write.durability)
            .collect()
    };
    // The first of them says that the number of this start is taken.
    use Durability::{Synced, Written};
    assert_eq!(durabilities(&given), [Synced, Written, Written]);

    store
        .save_progress(
            upload_id(5),
            claim.epoch,
            Progress::default(),
            crate::Written::default(),
        )
        .await
        .unwrap();
    assert_eq!(durabilities(&given), [Durability::Synced]);

    // POST and PUT of a small blob: one sync.
    let upload = FinishUpload {
        id: upload_id(5),
        epoch: Some(claim.epoch),
        ..push(&ours, "small")
    };
    store.finish_upload(&origin(), upload).await.unwrap();
    assert_eq!(durabilities(&given), [Durability::Synced]);
}

#[tokio::test]
async fn given_one_group_when_some_of_it_needs_a_sync_then_it_is_synced_whatever_comes_last() {
    let given = Given::new();
    let store = Arc::clone(&given.store);
    let synced = async move {
        let outcome = store
            .finish_upload(&origin(), push(&repository("ours"), "blob"))
            .await;
        outcome.map(drop)
    };
    let store = Arc::clone(&given.store);
    let unsynced = async move {
        store
            .create_upload(&origin(), &repository("ours"), upload_id(7))
            .await
            .map(drop)
    };
    let changes: Vec<std::pin::Pin<Box<dyn Future<Output = _> + Send>>> =
        vec![Box::pin(synced), Box::pin(unsynced)];

    for answer in given.queue_up(changes).await {
        answer.unwrap();
    }

    let written = given.control.take_written();
    let rows: Vec<_> = written
        .iter()
        .map(|write| (write.rows, write.durability))
        .collect();
    // The first operation is the first of the start, which is synced with it.
    assert_eq!(rows, [(2, Durability::Synced), (5, Durability::Synced)]);
}

#[tokio::test]
async fn given_a_good_lease_when_renewed_then_answered_without_waiting_for_the_committer() {
    let given = Given::new();
    let (ours, layer) = (repository("ours"), digest("layer"));
    given
        .store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    given.control.hold();
    let store = Arc::clone(&given.store);
    let busy = tokio::spawn(async move {
        store
            .create_upload(&origin(), &repository("first"), upload_id(1))
            .await
    });
    while !given.control.is_waiting() {
        tokio::task::yield_now().await;
    }

    let answer = given.store.stat_blob(&ours, &layer, Lease::Renew).await;

    assert!(answer.unwrap().is_some());
    given.control.release();
    busy.await.unwrap().unwrap();
}

#[tokio::test]
async fn given_refused_operations_when_run_then_nothing_is_written() {
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    store
        .save_progress(
            upload_id(9),
            epoch(1),
            Progress::default(),
            crate::Written::default(),
        )
        .await
        .unwrap();
    store
        .abort_upload(&origin(), upload_id(9), epoch(1))
        .await
        .unwrap();
    store.claim_upload(&ours, upload_id(9)).await.unwrap();
    store
        .mount_blob(&origin(), &ours, &repository("theirs"), &digest("x"))
        .await
        .unwrap();
    store.unlink_blob(&origin(), &ours, &digest("x")).await.unwrap();
    store
        .delete_manifest(&origin(), &ours, &digest("x"), SharedManifest::Delete)
        .await
        .unwrap();
    store
        .delete_tag(&origin(), &ours, &"t".parse().unwrap(), crate::Precondition::Any)
        .await
        .unwrap();
    store
        .forget_location(epoch(1).name(upload_id(9), 0))
        .await
        .unwrap();
    let mut image = manifest(&ours, "{m}");
    image.references = vec![ReferenceEdge {
        digest: digest("x"),
        presence: Presence::Blob,
    }];
    store.commit_manifest(&origin(), image).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(given.control.take_written(), []);
}

#[tokio::test]
async fn given_pulls_and_renewals_when_counted_then_a_pull_writes_nothing_and_a_renewal_once_per_half_lease()
{
    let given = Given::new();
    let (store, ours, layer) = (&given.store, repository("ours"), digest("layer"));
    store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    given.control.take_written();

    let quarter = LEASE / 4;
    let mut writes = Vec::new();
    for step in 1..=16 {
        given.clock.advance(quarter);
        for _ in 0..5 {
            store
                .stat_blob(&ours, &layer, Lease::Leave)
                .await
                .unwrap()
                .unwrap();
        }
        assert_eq!(given.control.take_written(), [], "a pull in step {step}");
        for _ in 0..5 {
            store
                .stat_blob(&ours, &layer, Lease::Renew)
                .await
                .unwrap()
                .unwrap();
        }
        writes.push(given.control.take_written().len());
    }

    // At a quarter and exactly half of the lease nothing is due, behind it one write.
    assert_eq!(writes, [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0]);
}

#[tokio::test]
async fn given_an_operation_that_panics_when_others_wait_then_they_are_made() {
    let given = Given::new();
    let ours = repository("ours");
    let store = Arc::clone(&given.store);
    let panicking = async move {
        let outcome = store
            .committer()
            .run(Durability::Synced, |transaction| {
                transaction.delete(crate::keys::repository(&"ours".parse().unwrap()));
                if transaction.now() > Timestamp::EPOCH {
                    panic!("a bug in an operation");
                }
                Ok(())
            })
            .await;
        outcome.map(|()| crate::FinishOutcome::Unknown)
    };
    let store = Arc::clone(&given.store);
    let pushing = async move {
        store
            .finish_upload(&origin(), push(&repository("ours"), "blob"))
            .await
    };
    let changes: Vec<std::pin::Pin<Box<dyn Future<Output = _> + Send>>> =
        vec![Box::pin(panicking), Box::pin(pushing)];

    let mut answers = given.queue_up(changes).await;

    answers.pop().unwrap().unwrap();
    assert!(matches!(
        answers.pop().unwrap(),
        Err(MetadataError::Unavailable(_))
    ));
    assert!(
        given
            .store
            .stat_blob(&ours, &digest("blob"), Lease::Leave)
            .await
            .unwrap()
            .is_some()
    );
    given.store.ping().await.unwrap();
}

#[tokio::test]
async fn given_an_operation_that_fails_when_its_group_is_written_then_without_its_changes() {
    let given = Given::new();
    let key = crate::keys::location(epoch(1).name(upload_id(3), 0));
    let failing = key.clone();
    let outcome: crate::Result<()> = given
        .store
        .committer()
        .run(Durability::Synced, move |transaction| {
            transaction.put(failing, &crate::rows::EmptyRow);
            Err(MetadataError::Corrupt("a row".to_owned()))
        })
        .await;
    assert!(matches!(outcome, Err(MetadataError::Corrupt(_))));
    assert_eq!(given.control.take_written(), []);
}

#[tokio::test]
async fn given_a_store_when_dropped_then_waiting_operations_are_made_and_nothing_is_left_running() {
    let (map, control, clock) = (MemoryMap::default(), Arc::default(), clock());
    let store = disturbed(map.clone(), &control, &clock);
    let (ours, origin) = (repository("ours"), origin());
    control.hold();
    for number in 0..10 {
        let content = format!("blob {number}");
        let mut change = Box::pin(store.finish_upload(&origin, push(&ours, &content)));
        // The operation is on its way once the future has been polled; then its caller goes away.
        let polled = std::future::poll_fn(|context| Poll::Ready(change.as_mut().poll(context)));
        assert!(polled.await.is_pending());
    }
    control.release();

    drop(store);

    // Dropping waited for the thread: its database is closed and every write is made.
    assert_eq!(Arc::strong_count(&control), 1);
    let reopened = disturbed(map, &control, &clock);
    for number in 0..10 {
        let stat = reopened
            .stat_blob(&ours, &digest(&format!("blob {number}")), Lease::Leave)
            .await
            .unwrap();
        assert!(stat.is_some(), "blob {number}");
    }
}
