//! Which store the bytes belong to.

use zas_core::StoreId;

use super::{Store, name, write};

pub(super) async fn suite(make: &impl Fn() -> Store) {
    given_a_new_store_when_given_an_id_then_it_has_that_id_and_lists_no_more_names(make()).await;
}

async fn given_a_new_store_when_given_an_id_then_it_has_that_id_and_lists_no_more_names(store: Store) {
    assert_eq!(store.store_id().await.unwrap(), None);
    write(&*store, name(1), b"x").await.unwrap();
    for number in [1, 2] {
        let id = StoreId::new(name(number).upload);
        store.set_store_id(id).await.unwrap();
        assert_eq!(store.store_id().await.unwrap(), Some(id));
    }
    assert_eq!(store.scan(None, 10).await.unwrap(), [name(1)]);
}
