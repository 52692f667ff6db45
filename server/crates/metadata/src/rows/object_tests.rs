use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use zas_core::{Digest, Timestamp, UploadId};

use super::*;
use crate::{ObjectAttributes, ObjectChecksum, Owner, StoredVersion, VersionId, Versioning};

fn text() -> impl Strategy<Value = String> {
    "[a-z0-9/é\0]{0,9}"
}

fn owner() -> impl Strategy<Value = Owner> {
    (text(), text()).prop_map(|(issuer, subject)| Owner { issuer, subject })
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn unknown() -> impl Strategy<Value = Unknown> {
    let value = vec(any::<u8>(), 0..40).prop_map(Bytes::from);
    vec((200..=255_u8, value), 0..3).prop_map(Unknown)
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((text(), text()), 0..3)
}

fn attributes() -> impl Strategy<Value = ObjectAttributes> {
    let checksum = (text(), text(), text()).prop_map(|(algorithm, kind, value)| ObjectChecksum {
        algorithm,
        kind,
        value,
    });
    let carried = (
        text(),
        owner(),
        pairs(),
        pairs(),
        option::of(text()),
        option::of(checksum),
    );
    carried.prop_map(
        |(etag, owner, headers, tags, storage_class, checksum)| ObjectAttributes {
            etag,
            owner,
            headers,
            tags,
            storage_class,
            checksum,
        },
    )
}

fn head() -> impl Strategy<Value = HeadRow> {
    let listed = (
        any::<u64>(),
        time(),
        text(),
        owner(),
        option::of(text()),
        option::of((text(), text())),
    );
    let listed = listed.prop_map(
        |(size, modified_at, etag, owner, storage_class, checksum)| Listed {
            size,
            modified_at,
            etag,
            owner,
            storage_class,
            checksum,
        },
    );
    let current = (any::<u64>(), any::<u64>(), any::<bool>());
    let current = current.prop_map(|(sequence, random, is_null)| StoredVersion {
        id: VersionId { sequence, random },
        is_null,
    });
    let head = (
        current,
        option::of(any::<u64>()),
        any::<u64>(),
        option::of(listed),
        unknown(),
    );
    head.prop_map(|(current, null, last, listed, unknown)| HeadRow {
        current,
        null,
        last,
        listed,
        unknown,
    })
}

fn version() -> impl Strategy<Value = VersionRow> {
    let content = (0..3_u8, any::<[u8; 16]>(), any::<u32>()).prop_map(|(kind, id, parts)| match kind {
        0 => VersionContent::Inline(Digest::sha256_of(&id)),
        1 => VersionContent::Blob(Digest::sha256_of(&id)),
        _ => VersionContent::Composite(UploadId::from_bytes(id), parts),
    });
    let object = (any::<u64>(), attributes(), content);
    let object = object.prop_map(|(size, attributes, content)| VersionBody::Object {
        size,
        attributes,
        content,
    });
    let body = prop_oneof![owner().prop_map(VersionBody::DeleteMarker), object];
    let row = (any::<u64>(), any::<bool>(), time(), body, unknown());
    row.prop_map(|(random, is_null, modified_at, body, unknown)| VersionRow {
        random,
        is_null,
        modified_at,
        body,
        unknown,
    })
}

fn bucket() -> impl Strategy<Value = BucketRow> {
    let row = (any::<[u8; 16]>(), owner(), text(), time(), unknown());
    row.prop_map(|(id, owner, region, created_at, unknown)| BucketRow {
        id: BucketId::from_bytes(id),
        owner,
        region,
        created_at,
        unknown,
    })
}

fn state() -> impl Strategy<Value = BucketStateRow> {
    let versioning = [Versioning::Never, Versioning::Enabled, Versioning::Suspended];
    let row = ("[a-z]{3,9}", 0..3_usize, unknown());
    row.prop_map(move |(name, number, unknown)| BucketStateRow {
        name: name.parse().unwrap(),
        versioning: versioning[number],
        unknown,
    })
}

fn checksum() -> impl Strategy<Value = Option<ObjectChecksum>> {
    attributes().prop_map(|attributes| attributes.checksum)
}

fn part() -> impl Strategy<Value = PartRow> {
    let segment = (any::<[u8; 16]>(), any::<bool>(), any::<u64>(), any::<u64>());
    let segment = segment.prop_map(|(id, is_blob, offset, length)| Segment {
        source: if is_blob {
            Source::Blob(Digest::sha256_of(&id))
        } else {
            Source::Composite(UploadId::from_bytes(id))
        },
        offset,
        length,
    });
    let segments = (any::<[u8; 16]>(), vec(segment, 0..4));
    let segments = segments.prop_map(|(id, segments)| {
        let bucket = BucketId::from_bytes(id);
        PartContent::Segments(bucket, segments)
    });
    let content = prop_oneof![
        Just(PartContent::Inline),
        Just(PartContent::Extents(Vec::new())),
        segments
    ];
    let row = (any::<u64>(), text(), checksum(), time(), content, unknown());
    row.prop_map(|(size, etag, checksum, modified_at, content, unknown)| PartRow {
        size,
        etag,
        checksum,
        modified_at,
        content,
        unknown,
    })
}

fn composite() -> impl Strategy<Value = CompositeRow> {
    let row = (
        head(),
        bucket(),
        state(),
        checksum(),
        any::<[u64; 2]>(),
        option::of(any::<u8>()),
        unknown(),
    );
    row.prop_map(
        |(head, bucket, state, checksum, [attempt, size], digest, unknown)| CompositeRow {
            bucket: bucket.id,
            key: "a/b".parse().unwrap(),
            version: head.current,
            versioning: state.versioning,
            modified_at: bucket.created_at,
            etag: bucket.region,
            checksum,
            attempt,
            size,
            digest: digest.map(|seed| Digest::sha256_of(&[seed])),
            unknown,
        },
    )
}

fn multipart() -> impl Strategy<Value = MultipartRow> {
    let row = (owner(), time(), attributes(), unknown());
    row.prop_map(|(initiator, created_at, attributes, unknown)| MultipartRow {
        initiator,
        created_at,
        attributes,
        unknown,
    })
}

proptest! {
    #[test]
    fn given_any_row_of_a_multipart_upload_when_stored_and_read_then_unchanged(
        part in part(), composite in composite(), multipart in multipart(),
        state in any::<(u64, u64, bool)>(), list in (any::<u64>(), vec(any::<(u16, u64)>(), 0..9)),
    ) {
        prop_assert_eq!(PartRow::decode(&part.encode()), Some(part));
        prop_assert_eq!(CompositeRow::decode(&composite.encode()), Some(composite));
        prop_assert_eq!(MultipartRow::decode(&multipart.encode()), Some(multipart));
        let (revision, parts, has_pieces) = state;
        let state = MultipartStateRow { revision, parts, has_pieces };
        prop_assert_eq!(MultipartStateRow::decode(&state.encode()), Some(state));
        let (offset, parts) = list;
        let list = PartListRow { offset, parts };
        prop_assert_eq!(PartListRow::decode(&list.encode()), Some(list));
    }

    #[test]
    fn given_any_bytes_when_read_as_a_row_of_a_multipart_upload_then_no_panic(
        bytes in vec(any::<u8>(), 0..60),
    ) {
        let bytes = Bytes::from([&[VERSION][..], &bytes].concat());
        let _ = PartRow::decode(&bytes);
        let _ = CompositeRow::decode(&bytes);
        let _ = MultipartRow::decode(&bytes);
        let _ = MultipartStateRow::decode(&bytes);
        let _ = PartListRow::decode(&bytes);
    }

    #[test]
    fn given_any_row_of_an_object_when_stored_and_read_then_unchanged_with_the_fields_of_newer_versions(
        head in head(), version in version(), bucket in bucket(), state in state(),
    ) {
        prop_assert_eq!(HeadRow::decode(&head.encode()), Some(head));
        prop_assert_eq!(VersionRow::decode(&version.encode()), Some(version));
        prop_assert_eq!(BucketRow::decode(&bucket.encode()), Some(bucket));
        prop_assert_eq!(BucketStateRow::decode(&state.encode()), Some(state));
    }

    #[test]
    fn given_any_bytes_when_read_as_a_row_of_an_object_then_no_panic(bytes in vec(any::<u8>(), 0..60)) {
        let bytes = Bytes::from([&[VERSION][..], &bytes].concat());
        let _ = HeadRow::decode(&bytes);
        let _ = VersionRow::decode(&bytes);
        let _ = BucketRow::decode(&bytes);
        let _ = BucketStateRow::decode(&bytes);
    }
}

#[test]
fn given_a_version_id_when_written_and_read_then_equal_and_other_spellings_are_refused() {
    let id = VersionId {
        sequence: 1_700_000_000_000,
        random: 0xab,
    };
    assert_eq!(id.to_string().parse(), Ok(id));
    for other in [
        "",
        "null",
        &id.to_string().to_uppercase(),
        &format!("{id}0"),
        &"+".repeat(32),
    ] {
        assert!(other.parse::<VersionId>().is_err(), "{other}");
    }
}
