//! Listings of versions, delete markers too.

use std::borrow::Cow;

use bytes::Bytes;
use zas_core::{BucketId, ObjectKey};

use super::walk::{Table, Walk, Walked, walk};
use super::{heads, lookup};
use crate::keys::Elements;
use crate::ordered_map::{Effort, KeyRange};
use crate::rows::{Row as _, VersionBody, VersionRow};
use crate::view::View;
use crate::{
    ListVersions, ListedContent, ListedVersion, Result, VersionPage, VersionPosition, VersionSelector, keys,
};

/// The versions of a bucket; `None` when a bounded effort does not get there.
pub(crate) fn versions(view: &View<'_>, list: &ListVersions, effort: Effort) -> Result<Option<VersionPage>> {
    let mut table = Versions {
        bucket: list.bucket,
        resumed: None,
        last: None,
    };
    let range = table.starting_with(&list.prefix);
    let range = match &list.after {
        None => range,
        Some(VersionPosition::Prefix(prefix)) => range.starting_at(&table.starting_with(prefix).to),
        Some(VersionPosition::Key(key) | VersionPosition::Version(key, VersionSelector::Current)) => {
            range.starting_at(&keys::versions_of(list.bucket, key).to)
        }
        Some(VersionPosition::Version(key, selector)) => {
            let resumed = resume(view, list.bucket, key, *selector)?;
            let from = resumed.from.clone();
            table.resumed = Some(resumed);
            range.starting_at(&from)
        }
    };
    let page = Walk {
        range,
        prefix: &list.prefix,
        delimiter: list.delimiter.as_deref(),
        count: list.count,
        effort,
    };
    Ok(walk(view, page, &mut table)?.map(page_of))
}

fn page_of(walked: Walked<ListedVersion>) -> VersionPage {
    let last = if walked.ends_with_prefix {
        walked.prefixes.last().cloned().map(VersionPosition::Prefix)
    } else {
        let last = walked.entries.last();
        last.map(|last| VersionPosition::Version(last.key.as_str().to_owned(), last.version.selector()))
    };
    VersionPage {
        versions: walked.entries,
        prefixes: walked.prefixes,
        next: last.filter(|_| walked.more),
    }
}

/// A key that a listing goes on within, so that the first version of it that is met need not be the current one.
struct Resumed {
    key: String,
    current: Option<u64>,
    from: Vec<u8>,
}

fn resume(view: &View<'_>, bucket: BucketId, key: &str, selector: VersionSelector) -> Result<Resumed> {
    let range = keys::versions_of(bucket, key);
    let object_key = ObjectKey::from_text(key).ok();
    let head = match &object_key {
        Some(object_key) => heads::read(view, bucket, object_key)?,
        None => None,
    };
    let sequence = match selector {
        VersionSelector::Id(id) => Some(id.sequence),
        VersionSelector::Null | VersionSelector::Current => head.as_ref().and_then(|head| head.null),
    };
    let range = match (&object_key, sequence) {
        (Some(key), Some(sequence)) => range.after(&keys::version(bucket, key, sequence)),
        _ => range,
    };
    Ok(Resumed {
        key: key.to_owned(),
        current: head.map(|head| head.current.id.sequence),
        from: range.from,
    })
}

struct Versions {
    bucket: BucketId,
    resumed: Option<Resumed>,
    last: Option<ObjectKey>,
}

impl Versions {
    fn is_current(&self, key: &ObjectKey, sequence: u64) -> bool {
        match &self.resumed {
            Some(resumed) if resumed.key == key.as_str() => resumed.current == Some(sequence),
            _ => self.last.as_ref() != Some(key),
        }
    }
}

impl Table<ListedVersion> for Versions {
    fn name<'k>(&self, key: &'k [u8]) -> Option<Cow<'k, str>> {
        let mut elements = Elements::of(key);
        elements.bucket()?;
        elements.text()
    }

    fn entry(&mut self, key: &[u8], value: &[u8]) -> Option<ListedVersion> {
        let mut elements = Elements::of(key);
        elements.bucket()?;
        let key = elements.object_key()?;
        let sequence = elements.descending()?;
        let row = VersionRow::decode(&Bytes::copy_from_slice(value))?;
        let is_current = self.is_current(&key, sequence);
        self.last = Some(key.clone());
        let version = lookup::version(sequence, &row);
        let (owner, object) = match row.body {
            VersionBody::DeleteMarker(owner) => (owner, None),
            VersionBody::Object { size, attributes, .. } => {
                let checksum = attributes.checksum;
                let content = ListedContent {
                    size,
                    etag: attributes.etag,
                    storage_class: attributes.storage_class,
                    checksum: checksum.map(|checksum| (checksum.algorithm, checksum.kind)),
                };
                (attributes.owner, Some(content))
            }
        };
        Some(ListedVersion {
            key,
            version,
            is_current,
            modified_at: row.modified_at,
            owner,
            object,
        })
    }

    fn starting_with(&self, prefix: &str) -> KeyRange {
        keys::versions(self.bucket, prefix)
    }
}
