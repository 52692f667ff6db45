//! Where each row is kept: a table byte and a tuple that sorts like its elements.
//!
//! Texts are escaped (0x00 becomes 0x00 0xFF) and end with 0x00 0x01, so that a text sorts before every longer
//! text that starts with it, whatever follows in the tuple, and any byte is allowed in it. Digests, ids and
//! times tell their own length. A holder and the owner of an edge begin with a byte that says of which kind they are.

mod access_keys;
mod buckets;
mod multipart;
mod objects;
mod tables;

use std::borrow::Cow;

#[cfg(any(test, feature = "fuzzing"))]
use zas_core::ObjectKey;
use zas_core::{BucketId, Digest, Holder, LocationName, RepositoryName, Tag, Timestamp, UploadId};

use crate::EdgeOwner;
use crate::ordered_map::{Family, Key, KeyRange};
use tables::{
    BLOB, BLOB_DATA, BODY, BUCKET, DAMAGED, DOOMED, DUE, EDGE, EXTENT, GARBAGE, LINK, LOCATION, MANIFEST,
    OBJECT_DATA, PART_DATA, REFERRER, REPOSITORY, SCRUB, START, STORE, SWEEP, TAG, TAG_OF, UNDIGESTED,
    UPLOAD,
};

pub(crate) use access_keys::*;
pub(crate) use buckets::*;
pub(crate) use multipart::*;
pub(crate) use objects::*;

// The kinds of holders. Each begins its element, so that a listing of one kind never meets the other.
const REPOSITORY_HOLDER: u8 = 1;
const BUCKET_HOLDER: u8 = 2;

// The kinds of what an edge belongs to.
const MANIFEST_OWNER: u8 = 1;
const VERSION_OWNER: u8 = 2;
const PART_OWNER: u8 = 3;

/// The key of a repository's row.
pub(crate) fn repository(name: &RepositoryName) -> Key {
    Tuple::new(REPOSITORY).text(name.as_str()).key()
}

/// The place right behind every name up to and with `name`, which need not be a valid one.
pub(crate) fn repository_position(name: &str) -> Key {
    Tuple::new(REPOSITORY).text(name).key()
}

/// All repositories whose name starts with `prefix`.
pub(crate) fn repositories(prefix: &str) -> KeyRange {
    Tuple::new(REPOSITORY).text_start(prefix).range()
}

/// The key of a manifest's row.
pub(crate) fn manifest(holder: &Holder, digest: &Digest) -> Key {
    Tuple::new(MANIFEST).holder(holder).digest(digest).key()
}

/// All manifests of a holder.
pub(crate) fn manifests(holder: &Holder) -> KeyRange {
    Tuple::new(MANIFEST).holder(holder).range()
}

/// The key of a manifest's bytes.
pub(crate) fn body(holder: &Holder, digest: &Digest) -> Key {
    Tuple::new(BODY).holder(holder).digest(digest).key()
}

/// The key of a tag's row.
pub(crate) fn tag(holder: &Holder, tag: &Tag) -> Key {
    tag_position(holder, tag.as_str())
}

/// The place of a tag, which need not be a valid one.
pub(crate) fn tag_position(holder: &Holder, tag: &str) -> Key {
    Tuple::new(TAG).holder(holder).text(tag).key()
}

/// All tags of a holder.
pub(crate) fn tags(holder: &Holder) -> KeyRange {
    Tuple::new(TAG).holder(holder).range()
}

/// The key of the row that leads from a manifest to one of its tags.
pub(crate) fn tag_of(holder: &Holder, digest: &Digest, tag: &Tag) -> Key {
    Tuple::new(TAG_OF)
        .holder(holder)
        .digest(digest)
        .text(tag.as_str())
        .key()
}

/// All tags of a manifest.
pub(crate) fn tags_of(holder: &Holder, digest: &Digest) -> KeyRange {
    Tuple::new(TAG_OF).holder(holder).digest(digest).range()
}

/// The key of a referrer's descriptor.
pub(crate) fn referrer(holder: &Holder, subject: &Digest, artifact_type: &str, digest: &Digest) -> Key {
    Tuple::new(REFERRER)
        .holder(holder)
        .digest(subject)
        .text(artifact_type)
        .digest(digest)
        .key()
}

/// All referrers of a subject, or those of one artifact type.
pub(crate) fn referrers(holder: &Holder, subject: &Digest, artifact_type: Option<&str>) -> KeyRange {
    let all = Tuple::new(REFERRER).holder(holder).digest(subject);
    match artifact_type {
        Some(artifact_type) => all.text(artifact_type).range(),
        None => all.range(),
    }
}

/// The key of the row that says who holds a blob.
pub(crate) fn link(digest: &Digest, holder: &Holder) -> Key {
    Tuple::new(LINK).digest(digest).holder(holder).key()
}

/// All links of a blob.
pub(crate) fn links(digest: &Digest) -> KeyRange {
    Tuple::new(LINK).digest(digest).range()
}

/// The key of a reference to a digest.
pub(crate) fn edge(digest: &Digest, holder: &Holder, owner: &EdgeOwner) -> Key {
    Tuple::new(EDGE)
        .digest(digest)
        .holder(holder)
        .edge_owner(owner)
        .key()
}

/// All references to a digest by what belongs to a holder.
pub(crate) fn edges(digest: &Digest, holder: &Holder) -> KeyRange {
    Tuple::new(EDGE).digest(digest).holder(holder).range()
}

/// The key of a blob's row.
pub(crate) fn blob(digest: &Digest) -> Key {
    Tuple::new(BLOB).digest(digest).key()
}

/// All blobs.
pub(crate) fn blobs() -> KeyRange {
    Tuple::new(BLOB).range()
}

/// The key of the entry that says that a blob is damaged.
pub(crate) fn damaged(digest: &Digest) -> Key {
    Tuple::new(DAMAGED).digest(digest).key()
}

/// All damaged blobs.
pub(crate) fn all_damaged() -> KeyRange {
    Tuple::new(DAMAGED).range()
}

/// The key of the one row that says how far the check of all blobs is.
pub(crate) fn scrub() -> Key {
    Tuple::new(SCRUB).key()
}

/// The key of the one row that says which store this is.
pub(crate) fn store() -> Key {
    Tuple::new(STORE).key()
}

/// The key of the one row that says how far the sweep is.
pub(crate) fn sweep() -> Key {
    Tuple::new(SWEEP).key()
}

/// The key of the one row that counts the starts of the store.
pub(crate) fn start() -> Key {
    Tuple::new(START).key()
}

/// Where content is, and what leads to stored bytes.
pub(crate) fn contents() -> [KeyRange; 6] {
    [REPOSITORY, LINK, BLOB, LOCATION, UPLOAD, BUCKET].map(|table| Tuple::new(table).range())
}

/// The key of an inline blob's bytes.
pub(crate) fn blob_data(digest: &Digest) -> Key {
    Tuple::new(BLOB_DATA).digest(digest).key()
}

/// The key of what a physical name holds.
pub(crate) fn location(name: LocationName) -> Key {
    Tuple::new(LOCATION).name(name).key()
}

/// The key of an upload's row.
pub(crate) fn upload(id: UploadId) -> Key {
    Tuple::new(UPLOAD).id(id).key()
}

/// The key of one of the saved runs of an upload's bytes.
pub(crate) fn extent(id: UploadId, index: u32) -> Key {
    Tuple::new(EXTENT).id(id).index(index).key()
}

/// All saved runs of an upload's bytes, in order.
pub(crate) fn extents(id: UploadId) -> KeyRange {
    Tuple::new(EXTENT).id(id).range()
}

/// All uploads.
pub(crate) fn uploads() -> KeyRange {
    Tuple::new(UPLOAD).range()
}

/// The key of the entry that makes somebody look at a link at `at`.
pub(crate) fn due(at: Timestamp, holder: &Holder, digest: &Digest) -> Key {
    Tuple::new(DUE).time(at).holder(holder).digest(digest).key()
}

/// All due entries.
pub(crate) fn dues() -> KeyRange {
    Tuple::new(DUE).range()
}

/// The due entries up to and with `now`.
pub(crate) fn dues_until(now: Timestamp) -> KeyRange {
    KeyRange {
        to: Tuple::new(DUE).time(now).range().to,
        ..dues()
    }
}

/// The key of the entry that makes somebody delete the bytes of `name` at `at`.
pub(crate) fn doomed(at: Timestamp, name: LocationName) -> Key {
    Tuple::new(DOOMED).time(at).name(name).key()
}

/// All entries of names to be deleted.
pub(crate) fn dooms() -> KeyRange {
    Tuple::new(DOOMED).range()
}

/// The entries of names to be deleted up to and with `now`.
pub(crate) fn dooms_until(now: Timestamp) -> KeyRange {
    KeyRange {
        to: Tuple::new(DOOMED).time(now).range().to,
        ..dooms()
    }
}

/// A holder as it is written into keys, for rows.
pub(crate) fn holder(holder: &Holder) -> Vec<u8> {
    Tuple(Vec::with_capacity(64)).holder(holder).0
}

/// A key under construction.
struct Tuple(Vec<u8>);

impl Tuple {
    fn new(table: u8) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.push(table);
        Self(bytes)
    }

    fn text(self, text: &str) -> Self {
        let mut tuple = self.text_start(text);
        tuple.0.extend_from_slice(&[0x00, 0x01]);
        tuple
    }

    fn text_start(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == 0x00 {
                self.0.push(0xFF);
            }
        }
        self
    }

    fn holder(mut self, holder: &Holder) -> Self {
        match holder {
            Holder::Repository(name) => {
                self.0.push(REPOSITORY_HOLDER);
                self.text(name.as_str())
            }
            Holder::Bucket(id) => {
                self.0.push(BUCKET_HOLDER);
                self.0.extend_from_slice(&id.to_bytes());
                self
            }
        }
    }

    fn edge_owner(mut self, owner: &EdgeOwner) -> Self {
        match owner {
            EdgeOwner::Manifest(digest) => {
                self.0.push(MANIFEST_OWNER);
                self.digest(digest)
            }
            EdgeOwner::Version(key, sequence) => {
                self.0.push(VERSION_OWNER);
                let mut tuple = self.text(key.as_str());
                tuple.0.extend_from_slice(&sequence.to_be_bytes());
                tuple
            }
            EdgeOwner::Part(id, number) => {
                self.0.push(PART_OWNER);
                self.id(*id).part_number(*number)
            }
        }
    }

    fn digest(mut self, digest: &Digest) -> Self {
        self.0.extend_from_slice(&digest.to_key());
        self
    }

    fn id(mut self, id: UploadId) -> Self {
        self.0.extend_from_slice(&id.to_bytes());
        self
    }

    fn name(mut self, name: LocationName) -> Self {
        self.0.extend_from_slice(&name.to_bytes());
        self
    }

    fn index(mut self, index: u32) -> Self {
        self.0.extend_from_slice(&index.to_be_bytes());
        self
    }

    fn time(mut self, at: Timestamp) -> Self {
        self.0.extend_from_slice(&at.millis().to_be_bytes());
        self
    }

    fn family(&self) -> Family {
        match self.0.first() {
            Some(&(BODY | BLOB_DATA | OBJECT_DATA | PART_DATA)) => Family::Data,
            Some(&(UPLOAD | DUE | DOOMED | EXTENT | GARBAGE | UNDIGESTED)) => Family::Queue,
            _ => Family::Meta,
        }
    }

    fn key(self) -> Key {
        Key {
            family: self.family(),
            bytes: self.0,
        }
    }

    /// Every key that starts like this one. The table byte is never 0xFF, so there is a first key past them.
    fn range(self) -> KeyRange {
        let mut to = self.0.clone();
        while let Some(last) = to.pop() {
            if let Some(next) = last.checked_add(1) {
                to.push(next);
                break;
            }
        }
        KeyRange {
            family: self.family(),
            from: self.0,
            to,
        }
    }
}

/// Takes a key apart, element by element.
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The elements behind the table byte.
    pub(crate) fn of(key: &'a [u8]) -> Self {
        Self(key.get(1..).unwrap_or_default())
    }

    /// The elements without a table byte in front.
    pub(crate) fn all(elements: &'a [u8]) -> Self {
        Self(elements)
    }

    /// The next element, a text.
    pub(crate) fn text(&mut self) -> Option<Cow<'a, str>> {
        let start = self.part_of_text()?;
        let mut ending = self.take(2)?;
        if ending == [0x00, 0x01] {
            return std::str::from_utf8(start).ok().map(Cow::Borrowed);
        }
        let mut text = start.to_vec();
        while ending == [0x00, 0xFF] {
            text.push(0x00);
            text.extend_from_slice(self.part_of_text()?);
            ending = self.take(2)?;
        }
        let is_whole = ending == [0x00, 0x01];
        is_whole.then_some(Cow::Owned(String::from_utf8(text).ok()?))
    }

    /// The next element, a repository's name.
    pub(crate) fn repository(&mut self) -> Option<RepositoryName> {
        self.text()?.parse().ok()
    }

    /// The next element, a holder.
    pub(crate) fn holder(&mut self) -> Option<Holder> {
        match self.take(1)? {
            [REPOSITORY_HOLDER] => self.repository().map(Holder::Repository),
            [BUCKET_HOLDER] => {
                let id = self.take(16)?.try_into().ok()?;
                Some(Holder::Bucket(BucketId::from_bytes(id)))
            }
            _ => None,
        }
    }

    /// Passes over the next element, a holder.
    pub(crate) fn skip_holder(&mut self) -> Option<()> {
        match self.take(1)? {
            [REPOSITORY_HOLDER] => self.text().map(drop),
            [BUCKET_HOLDER] => self.take(16).map(drop),
            _ => None,
        }
    }

    /// The next element, what refers to a digest.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn edge_owner(&mut self) -> Option<EdgeOwner> {
        match self.take(1)? {
            [MANIFEST_OWNER] => self.digest().map(EdgeOwner::Manifest),
            [VERSION_OWNER] => {
                let key = ObjectKey::from_text(&self.text()?).ok()?;
                let sequence = u64::from_be_bytes(self.take(8)?.try_into().ok()?);
                Some(EdgeOwner::Version(key, sequence))
            }
            [PART_OWNER] => Some(EdgeOwner::Part(self.id()?, self.part_number()?)),
            _ => None,
        }
    }

    /// The next element, a tag.
    pub(crate) fn tag(&mut self) -> Option<Tag> {
        self.text()?.parse().ok()
    }

    /// The next element, a digest.
    pub(crate) fn digest(&mut self) -> Option<Digest> {
        let lengths = [33, 65];
        let encoded = lengths.iter().find_map(|length| {
            self.0
                .get(..*length)
                .filter(|key| Digest::from_key(key).is_some())
        });
        let encoded = encoded?;
        self.take(encoded.len())?;
        Digest::from_key(encoded)
    }

    /// The next element, an id.
    pub(crate) fn id(&mut self) -> Option<UploadId> {
        self.take(16)?.try_into().ok().map(UploadId::from_bytes)
    }

    /// The next element, a physical name.
    pub(crate) fn name(&mut self) -> Option<LocationName> {
        LocationName::from_bytes(self.take(LocationName::BYTES)?)
    }

    /// The next element, a time.
    pub(crate) fn time(&mut self) -> Option<Timestamp> {
        self.take(8)?
            .try_into()
            .ok()
            .map(|bytes| Timestamp::from_millis(u64::from_be_bytes(bytes)))
    }

    /// The bytes before the next 0x00.
    fn part_of_text(&mut self) -> Option<&'a [u8]> {
        let length = self.0.iter().position(|byte| *byte == 0x00)?;
        self.take(length)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(seed: u8, long: bool) -> Digest {
        if long {
            Digest::from_sha512([seed; 64])
        } else {
            Digest::from_sha256([seed; 32])
        }
    }

    fn holder() -> impl Strategy<Value = Holder> {
        prop_oneof![
            "[a-z]{1,3}(/[a-z]{1,3}){0,2}".prop_map(|name| Holder::Repository(name.parse().unwrap())),
            any::<[u8; 16]>().prop_map(|id| Holder::Bucket(BucketId::from_bytes(id))),
        ]
    }

    fn owner() -> impl Strategy<Value = EdgeOwner> {
        prop_oneof![
            (any::<u8>(), any::<bool>()).prop_map(|(seed, long)| EdgeOwner::Manifest(digest(seed, long))),
            ("[\0\u{1}a/]{1,4}", any::<u64>()).prop_map(|(key, sequence)| EdgeOwner::Version(
                ObjectKey::from_text(&key).unwrap(),
                sequence
            )),
            any::<([u8; 16], u16)>()
                .prop_map(|(id, number)| EdgeOwner::Part(UploadId::from_bytes(id), number)),
        ]
    }

    proptest! {
        #[test]
        fn given_any_tuples_when_written_as_keys_then_they_sort_like_the_tuples(
            a in (".{0,4}|[\0\u{1}a]{0,6}", any::<u8>(), any::<bool>(), "[\0\u{1}b]{0,4}"),
            b in (".{0,4}|[\0\u{1}a]{0,6}", any::<u8>(), any::<bool>(), "[\0\u{1}b]{0,4}"),
        ) {
            let key = |(first, seed, long, last): &(String, u8, bool, String)| {
                Tuple::new(1).text(first).digest(&digest(*seed, *long)).text(last).key()
            };
            let parts = |(first, seed, long, last): &(String, u8, bool, String)| {
                (first.clone().into_bytes(), digest(*seed, *long).to_key(), last.clone().into_bytes())
            };
            prop_assert_eq!(key(&a).cmp(&key(&b)), parts(&a).cmp(&parts(&b)));
        }

        #[test]
        fn given_any_elements_when_written_and_read_then_unchanged(
            text in any::<String>(), seed in any::<u8>(), long in any::<bool>(), id in any::<[u8; 16]>(), at in any::<u64>(),
            holder in holder(), owner in owner(),
            start in any::<u64>(), ordinal in any::<u32>(),
        ) {
            let (id, at) = (UploadId::from_bytes(id), Timestamp::from_millis(at));
            let name = LocationName { upload: id, start, epoch: at.millis(), ordinal };
            let key = Tuple::new(7).holder(&holder).text(&text).holder(&holder).edge_owner(&owner);
            let key = key.digest(&digest(seed, long)).id(id).name(name).time(at).key();

            let mut elements = Elements::of(&key.bytes);

            prop_assert_eq!(elements.holder(), Some(holder));
            prop_assert_eq!(elements.text(), Some(Cow::Borrowed(text.as_str())));
            prop_assert_eq!(elements.skip_holder(), Some(()));
            prop_assert_eq!(elements.edge_owner(), Some(owner));
            prop_assert_eq!(elements.digest(), Some(digest(seed, long)));
            prop_assert_eq!(elements.id(), Some(id));
            prop_assert_eq!(elements.name(), Some(name));
            prop_assert_eq!(elements.time(), Some(at));
            prop_assert!(elements.0.is_empty());
        }

        #[test]
        fn given_a_prefix_when_a_key_starts_with_it_then_it_alone_is_in_the_range(
            prefix in "[\0a-c\u{ff}]{0,5}", other in "[\0a-c\u{ff}]{0,8}",
        ) {
            let range = repositories(&prefix);
            let key = repository_position(&other);
            let is_inside = range.from <= key.bytes && key.bytes < range.to;
            // A text that ends in 0x00 is followed by an escape, so only whole characters count.
            prop_assert_eq!(is_inside, other.starts_with(&prefix));
        }

        #[test]
        fn given_any_bytes_when_read_as_a_key_then_no_panic(bytes in any::<Vec<u8>>()) {
            let _ = Elements::of(&bytes).text();
            let _ = Elements::of(&bytes).digest();
            let _ = Elements::of(&bytes).id();
            let _ = Elements::of(&bytes).time();
            let _ = Elements::of(&bytes).holder();
            let _ = Elements::of(&bytes).skip_holder();
            let _ = Elements::of(&bytes).edge_owner();
        }

        #[test]
        fn given_two_holders_when_their_rows_are_ranged_then_neither_meets_the_other(
            ours in holder(), theirs in holder(), name in "[a-z0-9]{1,3}",
        ) {
            prop_assume!(ours != theirs);
            let (content, name) = (digest(1, false), name.parse().unwrap());
            let is_inside = |range: KeyRange, key: Key| range.from <= key.bytes && key.bytes < range.to;
            let owner = EdgeOwner::Manifest(content);
            prop_assert!(!is_inside(tags(&ours), tag(&theirs, &name)));
            prop_assert!(!is_inside(manifests(&ours), manifest(&theirs, &content)));
            prop_assert!(!is_inside(referrers(&ours, &content, None), referrer(&theirs, &content, "", &content)));
            prop_assert!(!is_inside(edges(&content, &ours), edge(&content, &theirs, &owner)));
            prop_assert!(is_inside(edges(&content, &ours), edge(&content, &ours, &owner)));
            prop_assert_eq!(
                link(&content, &ours).bytes.cmp(&link(&content, &theirs).bytes),
                ours.cmp(&theirs)
            );
        }
    }

    #[test]
    fn given_a_repository_when_another_starts_with_its_name_then_their_rows_do_not_mix() {
        let name = |name: &str| Holder::Repository(name.parse().unwrap());
        let (short, long) = (name("a"), name("a/b"));
        let range = tags(&short);
        let foreign = tag(&long, &"t".parse().unwrap());
        assert!(!(range.from <= foreign.bytes && foreign.bytes < range.to));
    }
}
