use zas_core::StoreId;

use super::cases;
use super::setting::{DOOM_DELAY, LEASE, Setting, repository, stray};
use crate::{OrphanOutcome, SweepPosition};

cases![
    given_a_new_store_when_given_an_id_then_it_has_that_id_and_is_still_empty,
    given_content_or_an_upload_when_asked_then_the_store_is_not_empty_until_all_of_it_is_forgotten,
    given_names_when_looked_for_orphans_then_those_that_no_row_knows,
    given_a_sweep_when_its_position_is_saved_then_found_again,
];

async fn given_a_new_store_when_given_an_id_then_it_has_that_id_and_is_still_empty(given: Setting) {
    assert_eq!(given.store.store_id().await.unwrap(), None);
    for _ in 0..2 {
        let id = StoreId::new(given.id());
        given.store.set_store_id(id).await.unwrap();
        assert_eq!(given.store.store_id().await.unwrap(), Some(id));
    }
    assert!(given.store.is_empty().await.unwrap());
}

async fn given_content_or_an_upload_when_asked_then_the_store_is_not_empty_until_all_of_it_is_forgotten(
    given: Setting,
) {
    let ours = repository("ours");
    let (_, name) = given.push_file(&ours, "layer").await;
    assert!(!given.store.is_empty().await.unwrap());
    given.pass(LEASE);
    given.collect().await;
    assert!(
        !given.store.is_empty().await.unwrap(),
        "bytes are still to be deleted"
    );
    given.pass(DOOM_DELAY);
    given.store.forget_location(name).await.unwrap();
    assert!(given.store.is_empty().await.unwrap());
    given.start(&ours).await;
    assert!(!given.store.is_empty().await.unwrap());
}

async fn given_names_when_looked_for_orphans_then_those_that_no_row_knows(given: Setting) {
    let ours = repository("ours");
    let (_, live) = given.push_file(&ours, "layer").await;
    let (id, epoch) = given.start(&ours).await;
    let reserved = epoch.name(id, 3);
    let (orphan, doomed) = (stray(given.id()), stray(given.id()));
    assert_eq!(
        given.store.claim_orphan(doomed).await.unwrap(),
        OrphanOutcome::Doomed
    );

    let names = [live, reserved, orphan, doomed];

    assert_eq!(given.store.find_orphans(&names).await.unwrap(), [orphan]);
    assert_eq!(given.store.find_orphans(&[]).await.unwrap(), []);
}

async fn given_a_sweep_when_its_position_is_saved_then_found_again(given: Setting) {
    assert_eq!(given.store.sweep_position().await.unwrap(), None);
    let resting = SweepPosition::resting_since(given.now());
    let under_way = SweepPosition {
        after: Some(stray(given.id())),
        names: 4,
        orphans: 3,
        left: Some(2),
        withheld: 1,
        ..resting
    };
    for position in [resting, under_way] {
        given.store.save_sweep_position(position).await.unwrap();
        assert_eq!(given.store.sweep_position().await.unwrap(), Some(position));
    }
}
