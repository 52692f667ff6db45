use zas_core::{BucketId, Digest, ObjectManifest};

use super::cases;
use super::multipart::Multiparts as _;
use super::object_setting::{Objects as _, key};
use super::setting::{Setting, digest};
use crate::{NewContent, ObjectWithDigest, PutObject, VersionSelector, Versioning};

cases![
    given_objects_when_found_by_a_digest_then_every_version_that_is_there_and_no_other,
    given_an_object_in_parts_when_its_digest_is_told_then_found_by_it_with_its_copies,
];

/// The keys of the versions that have a digest, and whether each is the current one.
async fn found(given: &Setting, bucket: BucketId, digest: &Digest) -> Vec<(String, bool)> {
    let objects = given.store.find_objects(bucket, digest, 9).await.unwrap();
    let told = |object: ObjectWithDigest| (object.key.as_str().to_owned(), object.is_current);
    objects.into_iter().map(told).collect()
}

async fn copy_of_parts(given: &Setting, bucket: BucketId, to: &str) -> PutObject {
    let source = given.current(bucket, "parts").await.unwrap();
    PutObject {
        content: NewContent::CopyOf {
            bucket,
            key: key("parts"),
            version: source.version,
        },
        ..given.object(bucket, to, "")
    }
}

fn manifest_of(content: &str, name: &str) -> Digest {
    ObjectManifest::of(&digest(content), content.len() as u64, &key(name)).digest
}

async fn given_objects_when_found_by_a_digest_then_every_version_that_is_there_and_no_other(given: Setting) {
    let (bucket, other) = (given.bucket("first").await, given.bucket("other").await);
    given.put(other, "x/k", "one").await;
    given.put(bucket, "k", "zero").await;
    given.version(bucket, Versioning::Enabled).await;
    given.put(bucket, "a/k", "one").await;
    let first = given.put(bucket, "k", "one").await.version;
    given.put(bucket, "k", "two").await;

    let here = |key: &str, is_current| (key.to_owned(), is_current);
    let both = [here("a/k", true), here("k", false)];
    assert_eq!(found(&given, bucket, &digest("one")).await, both);
    assert_eq!(found(&given, bucket, &manifest_of("one", "k")).await, both);
    assert_eq!(found(&given, bucket, &manifest_of("one", "other name")).await, []);
    assert_eq!(found(&given, bucket, &digest("zero")).await, [here("k", false)]);
    assert_eq!(
        given
            .store
            .find_objects(bucket, &digest("one"), 1)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(found(&given, other, &digest("one")).await, [here("x/k", true)]);

    // A delete marker hides, and keeps.
    given.delete(bucket, "a/k").await;
    let hidden = [here("a/k", false), here("k", false)];
    assert_eq!(found(&given, bucket, &digest("one")).await, hidden);
    given.remove(bucket, "k", first.selector()).await;
    assert_eq!(found(&given, bucket, &digest("one")).await, [here("a/k", false)]);
    assert_eq!(
        found(&given, bucket, &manifest_of("one", "k")).await,
        [here("a/k", false)]
    );

    // A null version that is written over is gone.
    given.put(other, "x/k", "two").await;
    assert_eq!(found(&given, other, &digest("one")).await, []);
    assert_eq!(found(&given, other, &manifest_of("one", "k")).await, []);
}

async fn given_an_object_in_parts_when_its_digest_is_told_then_found_by_it_with_its_copies(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "parts").await;
    given.parts(&name, &["ab", "c"]).await;
    given.complete(&name, &[(1, 2), (2, 1)]).await;
    let copy = copy_of_parts(&given, bucket, "copy").await;
    given.write(copy).await;
    assert_eq!(found(&given, bucket, &digest("abc")).await, []);

    given
        .store
        .set_composite_digest(name.id, &digest("abc"))
        .await
        .unwrap();
    let late = copy_of_parts(&given, bucket, "late").await;
    given.write(late).await;

    let here = |key: &str| (key.to_owned(), true);
    let all = [here("copy"), here("late"), here("parts")];
    assert_eq!(found(&given, bucket, &digest("abc")).await, all);
    assert_eq!(
        found(&given, bucket, &manifest_of("abc", "late")).await,
        [here("late")]
    );
    given.remove(bucket, "parts", VersionSelector::Current).await;
    assert_eq!(
        found(&given, bucket, &digest("abc")).await,
        [here("copy"), here("late")]
    );
}
