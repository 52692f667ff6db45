use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use zas_core::{Algorithm, HashState, LocationName};

use super::*;
use crate::{Epoch, Extent, Progress};

fn digest() -> impl Strategy<Value = Digest> {
    any::<(bool, u8)>().prop_map(|(long, seed)| {
        let algorithm = if long {
            Algorithm::Sha512
        } else {
            Algorithm::Sha256
        };
        algorithm.digest(&[seed])
    })
}

fn id() -> impl Strategy<Value = UploadId> {
    any::<[u8; 16]>().prop_map(UploadId::from_bytes)
}

fn location() -> impl Strategy<Value = LocationName> {
    (id(), any::<u64>(), any::<u64>(), any::<u32>()).prop_map(|(upload, start, epoch, ordinal)| {
        LocationName {
            upload,
            start,
            epoch,
            ordinal,
        }
    })
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn payload() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn hash_state() -> impl Strategy<Value = HashState> {
    (any::<bool>(), vec(any::<u8>(), 0..200)).prop_map(|(long, bytes)| HashState {
        algorithm: if long {
            Algorithm::Sha512
        } else {
            Algorithm::Sha256
        },
        bytes,
    })
}

/// Fields that no version has yet.
fn unknown() -> impl Strategy<Value = Unknown> {
    vec((200..=255_u8, payload()), 0..3).prop_map(Unknown)
}

fn link() -> impl Strategy<Value = LinkRow> {
    (any::<u64>(), time(), option::of(id()), unknown()).prop_map(|(size, lease_until, upload, unknown)| {
        LinkRow {
            size,
            lease_until,
            upload,
            unknown,
        }
    })
}

fn extent() -> impl Strategy<Value = Extent> {
    (location(), any::<u64>(), any::<u64>()).prop_map(|(location, offset, length)| Extent {
        location,
        offset,
        length,
    })
}

fn blob() -> impl Strategy<Value = BlobRow> {
    (
        any::<u64>(),
        option::of(vec(extent(), 0..4)),
        option::of(time()),
        option::of(time()),
        unknown(),
    )
        .prop_map(|(size, extents, damaged_since, renewed_at, unknown)| BlobRow {
            size,
            content: extents.map_or(StoredContent::Inline, StoredContent::Extents),
            damaged_since,
            renewed_at,
            unknown,
        })
}

fn manifest() -> impl Strategy<Value = ManifestRow> {
    let referral = option::of((digest(), "[a-z/]{0,20}"));
    (
        any::<u64>(),
        time(),
        ".{0,9}",
        vec(digest(), 0..5),
        referral,
        unknown(),
    )
        .prop_map(
            |(size, created_at, actor, edges, referral, unknown)| ManifestRow {
                media_type: "application/vnd.oci.image.manifest.v1+json".parse().unwrap(),
                size,
                created_at,
                actor,
                edges,
                referral,
                unknown,
            },
        )
}

fn body() -> impl Strategy<Value = BodyRow> {
    (payload(), any::<bool>(), unknown()).prop_map(|(body, has_media_type, unknown)| BodyRow {
        body,
        media_type: has_media_type.then(|| "application/vnd.oci.image.index.v1+json".parse().unwrap()),
        unknown,
    })
}

fn upload() -> impl Strategy<Value = UploadRow> {
    let progress = (any::<u64>(), vec(hash_state(), 0..3), option::of(payload())).prop_map(
        |(offset, hashes, inline)| Progress {
            offset,
            hashes,
            inline,
        },
    );
    let epoch = (any::<u64>(), any::<u64>()).prop_map(|(start, claim)| Epoch { start, claim });
    let written = (any::<u32>(), any::<u32>(), any::<bool>());
    (".{0,9}", epoch, time(), progress, written, unknown()).prop_map(
        |(actor, epoch, touched_at, progress, (extents, ordinal, is_writing), unknown)| UploadRow {
            holder: Holder::Repository("library/alpine".parse().unwrap()),
            actor,
            epoch,
            touched_at,
            progress,
            extents,
            ordinal,
            is_writing,
            unknown,
        },
    )
}

fn assert_round_trip<R: Row + PartialEq + std::fmt::Debug>(row: &R) {
    assert_eq!(R::decode(&row.encode()).as_ref(), Some(row));
}

/// A row of a newer version is read as if its new fields were not there.
fn assert_skips_newer_fields<R: Row + PartialEq + std::fmt::Debug>(row: &R, newer: &Bytes) {
    let stored = Writer(row.encode().to_vec())
        .bytes(199, newer)
        .number(198, 7)
        .finish();
    assert_eq!(R::decode(&stored).as_ref(), Some(row));
}

/// What an older version writes again has the fields that it does not know.
fn assert_keeps_newer_fields<R: Row>(row: &R, newer: &Bytes) {
    let stored = Writer(row.encode().to_vec()).bytes(199, newer).finish();
    assert_eq!(R::decode(&stored).unwrap().encode(), stored);
}

proptest! {
    #[test]
    fn given_any_rows_when_stored_and_read_then_unchanged(
        link in link(), blob in blob(), manifest in manifest(), body in body(), upload in upload(),
        digest in digest(), id in id(), at in time(), actor in ".{0,9}", bytes in payload(), extent in extent(),
    ) {
        assert_round_trip(&ExtentRow(extent));
        assert_round_trip(&StartRow(at.millis()));
        assert_round_trip(&link);
        assert_round_trip(&blob);
        assert_round_trip(&manifest);
        assert_round_trip(&body);
        assert_round_trip(&upload);
        for owner in [
            LocationOwner::Blob(digest),
            LocationOwner::Upload(id),
            LocationOwner::Composite(id),
        ] {
            assert_round_trip(&LocationRow::Live(owner));
        }
        assert_round_trip(&LocationRow::Doomed(at));
        assert_round_trip(&TagRow { digest, pointed_at: at, actor, unknown: Unknown::default() });
        assert_round_trip(&RepositoryRow { created_at: at });
        assert_round_trip(&Payload(bytes));
        assert_round_trip(&EmptyRow);
    }

    #[test]
    fn given_rows_of_a_newer_version_when_read_then_its_fields_are_skipped(
        digest in digest(), at in time(), newer in payload(),
    ) {
        assert_skips_newer_fields(&LocationRow::Live(LocationOwner::Blob(digest)), &newer);
        assert_skips_newer_fields(&LocationRow::Doomed(at), &newer);
        assert_skips_newer_fields(&RepositoryRow { created_at: at }, &newer);
        assert_skips_newer_fields(&Payload(newer.clone()), &newer);
        assert_skips_newer_fields(&EmptyRow, &newer);
    }

    #[test]
    fn given_a_row_that_is_rewritten_when_it_had_newer_fields_then_they_stay(
        link in link(), upload in upload(), blob in blob(), manifest in manifest(), body in body(),
        digest in digest(), name in extent().prop_map(|extent| extent.location), at in time(), newer in payload(),
    ) {
        let (unknown, actor) = (Unknown::default(), "ci".to_owned());
        let tag = TagRow { digest, pointed_at: at, actor, unknown: unknown.clone() };
        let scrub = ScrubRow { after: Some(digest), rested_at: at, unknown: unknown.clone() };
        let sweep = SweepRow {
            after: Some(name), rested_at: at, names: 3, orphans: 2, left: Some(1), withheld: 0, unknown,
        };
        assert_keeps_newer_fields(&link, &newer);
        assert_keeps_newer_fields(&upload, &newer);
        assert_keeps_newer_fields(&blob, &newer);
        assert_keeps_newer_fields(&manifest, &newer);
        assert_keeps_newer_fields(&body, &newer);
        assert_keeps_newer_fields(&tag, &newer);
        assert_keeps_newer_fields(&scrub, &newer);
        assert_keeps_newer_fields(&sweep, &newer);
    }

    #[test]
    fn given_any_bytes_when_read_then_no_panic(
        bytes in payload(), upload in upload(), cut in any::<prop::sample::Index>(),
    ) {
        let stored = upload.encode();
        let _ = UploadRow::decode(&stored.slice(..cut.index(stored.len())));
        let _ = LinkRow::decode(&bytes);
        let _ = BlobRow::decode(&bytes);
        let _ = LocationRow::decode(&bytes);
        let _ = ManifestRow::decode(&bytes);
        let _ = BodyRow::decode(&bytes);
        let _ = TagRow::decode(&bytes);
        let _ = UploadRow::decode(&bytes);
        let _ = ExtentRow::decode(&bytes);
        let _ = RepositoryRow::decode(&bytes);
        let _ = Payload::decode(&bytes);
    }
}

#[test]
fn given_a_row_of_another_version_when_read_then_refused() {
    let mut stored = RepositoryRow {
        created_at: Timestamp::from_millis(5),
    }
    .encode()
    .to_vec();
    stored[0] = 2;
    assert_eq!(RepositoryRow::decode(&stored.into()), None);
}

/// The stored form is a promise to every later version: it changes only by new tags.
#[test]
fn given_known_rows_when_stored_then_exactly_these_bytes() {
    let id = UploadId::from_bytes([0xAB; 16]);
    let link = LinkRow {
        size: 300,
        lease_until: Timestamp::from_millis(0x0102),
        upload: Some(id),
        unknown: Unknown::default(),
    };
    let expected = [&[1, 1, 2, 1, 44, 2, 2, 1, 2, 3, 16][..], &[0xAB; 16]].concat();
    assert_eq!(link.encode(), expected);

    let blob = BlobRow {
        size: 1,
        content: StoredContent::Extents(vec![Extent {
            location: LocationName {
                upload: id,
                start: 1,
                epoch: 2,
                ordinal: 3,
            },
            offset: 0,
            length: 1,
        }]),
        damaged_since: None,
        renewed_at: None,
        unknown: Unknown::default(),
    };
    let number = |value: u8| [0, 0, 0, 0, 0, 0, 0, value];
    let extent = [
        &[0xAB; 16][..],
        &number(1),
        &number(2),
        &[0, 0, 0, 3],
        &number(0),
        &number(1),
    ]
    .concat();
    assert_eq!(
        blob.encode(),
        [&[1, 1, 1, 1, 2, 1, 1, 3, 52][..], &extent].concat()
    );
    assert_eq!(EmptyRow.encode(), [1].as_slice());

    let body = BodyRow {
        body: Bytes::from_static(b"{}"),
        media_type: Some("a/b".parse().unwrap()),
        unknown: Unknown::default(),
    };
    assert_eq!(body.encode(), b"\x01\x01\x02{}\x02\x03a/b".as_slice());
}

/// Both ways between 0.2.0, whose bodies were without media type, and this version.
#[test]
fn given_a_body_of_either_version_when_the_other_reads_it_then_the_bytes_are_there() {
    let bytes = Bytes::from_static(b"{}");
    let old = Payload(bytes.clone());
    let read = BodyRow::decode(&old.encode()).unwrap();
    assert_eq!((&read.body, read.media_type), (&bytes, None));
    let new = BodyRow {
        body: bytes,
        media_type: Some("a/b".parse().unwrap()),
        unknown: Unknown::default(),
    };
    assert_eq!(Payload::decode(&new.encode()), Some(old));
}
