//! One test for each group of the contract.

#![expect(clippy::expect_used, reason = "what stands around the tests is part of them")]

use zas_metadata::contract::{Subject, groups, run};
use zas_metadata::{Clocks, Timing};

/// Runs the group of that name on fresh stores.
pub(crate) async fn run_group(name: &str, make: fn(Clocks, Timing) -> Subject) {
    let group = groups().into_iter().find(|group| group.name == name);
    run(&group.expect("a group of this name"), &make).await;
}

/// Every group must have a test here.
pub(crate) fn assert_complete(tested: &[&str]) {
    let names: Vec<_> = groups().iter().map(|group| group.name).collect();
    assert_eq!(names, tested);
}

macro_rules! each_group {
    ($make:ident) => {
        suite::each_group!(@ $make: uploads, blobs, manifests, tags, removal, referrers, listings, holders, collection, damage, store, time, buckets, objects, object_contents, object_digests, multipart, object_listings, access_keys, concurrency);
    };
    (@ $make:ident: $($group:ident),*) => {
        mod contract {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $group() {
                    crate::suite::run_group(stringify!($group), super::$make).await;
                }
            )*

            #[test]
            fn given_the_groups_of_the_contract_when_listed_then_each_has_a_test() {
                crate::suite::assert_complete(&[$(stringify!($group)),*]);
            }
        }
    };
}
pub(crate) use each_group;
