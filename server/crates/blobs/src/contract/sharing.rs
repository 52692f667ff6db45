//! Two stores over the same place, as two processes have them.

use zas_core::LocationName;

use super::{Store, batch, content, feed, name, open_and_read, prepare, start, taken, write};
use crate::BlobError;

pub(super) async fn suite(make: &impl Fn() -> (Store, Store)) {
    given_two_writers_of_one_upload_when_both_write_then_neither_hurts_the_other(make()).await;
    given_two_writers_of_one_name_when_both_write_then_one_is_refused_and_the_bytes_are_the_others(make())
        .await;
    given_a_name_that_one_store_deleted_when_the_other_opens_it_then_not_found(make()).await;
}

async fn given_two_writers_of_one_upload_when_both_write_then_neither_hurts_the_other(
    (first, second): (Store, Store),
) {
    // Given a writer on a connection that hangs, and its successor elsewhere
    let (stale, fresh) = (name(1), LocationName { epoch: 2, ..name(1) });
    let (stale_sender, stale_write) = prepare(stale);
    let stale_writing = start(&first, stale_write);
    stale_sender.send(batch(&content(1, 100_000))).await.unwrap();
    taken(&stale_sender).await;

    // When
    write(&*second, fresh, &content(2, 200_000)).await.unwrap();
    feed(stale_sender, content(3, 50_000), 10_000).await;

    // Then
    assert_eq!(stale_writing.await.unwrap().unwrap(), 150_000);
    for store in [&first, &second] {
        assert!(open_and_read(&**store, fresh).await == content(2, 200_000));
        assert!(open_and_read(&**store, stale).await[..100_000] == content(1, 100_000));
    }
}

async fn given_two_writers_of_one_name_when_both_write_then_one_is_refused_and_the_bytes_are_the_others(
    (first, second): (Store, Store),
) {
    for number in 0..50 {
        let (one, other) = (content(number, 3_000), content(number + 100, 3_000));
        let (wrote, too) = tokio::join!(
            write(&*first, name(number), &one),
            write(&*second, name(number), &other)
        );
        let (refused, winner) = match (wrote, too) {
            (Ok(_), Err(error)) => (error, one),
            (Err(error), Ok(_)) => (error, other),
            both => panic!("exactly one writes {number}: {both:?}"),
        };
        assert!(
            matches!(refused, BlobError::Exists(refused) if refused == name(number)),
            "{refused}"
        );
        assert!(open_and_read(&*first, name(number)).await == winner);
    }
}

async fn given_a_name_that_one_store_deleted_when_the_other_opens_it_then_not_found(
    (first, second): (Store, Store),
) {
    write(&*first, name(1), b"content").await.unwrap();
    second.delete(name(1)).await.unwrap();
    assert!(matches!(first.open(name(1)).await, Err(BlobError::NotFound(_))));
}
