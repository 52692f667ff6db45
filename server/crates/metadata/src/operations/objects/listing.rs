//! Listings of objects: the heads in order, which hold all that is answered.

use std::borrow::Cow;

use bytes::Bytes;
use zas_core::BucketId;

use super::walk::{Table, Walk, walk};
use crate::keys::Elements;
use crate::ordered_map::{Effort, KeyRange};
use crate::rows::{HeadRow, Row as _};
use crate::view::View;
use crate::{ListObjects, ListPosition, ListedObject, ObjectPage, Result, keys};

/// The objects of a bucket; `None` when a bounded effort does not get there.
pub(crate) fn objects(view: &View<'_>, list: &ListObjects, effort: Effort) -> Result<Option<ObjectPage>> {
    let mut table = Heads(list.bucket);
    let range = table.starting_with(&list.prefix);
    let range = match &list.after {
        None => range,
        Some(ListPosition::Key(key)) => range.after(&keys::live_position(list.bucket, key)),
        Some(ListPosition::Prefix(prefix)) => range.starting_at(&table.starting_with(prefix).to),
    };
    let page = Walk {
        range,
        prefix: &list.prefix,
        delimiter: list.delimiter.as_deref(),
        count: list.count,
        effort,
    };
    let Some(walked) = walk(view, page, &mut table)? else {
        return Ok(None);
    };
    let last: Option<ListPosition> = if walked.ends_with_prefix {
        walked.prefixes.last().cloned().map(ListPosition::Prefix)
    } else {
        let last: Option<&ListedObject> = walked.entries.last();
        last.map(|object| ListPosition::Key(object.key.as_str().to_owned()))
    };
    Ok(Some(ObjectPage {
        objects: walked.entries,
        prefixes: walked.prefixes,
        next: last.filter(|_| walked.more),
    }))
}

struct Heads(BucketId);

impl Table<ListedObject> for Heads {
    fn name<'k>(&self, key: &'k [u8]) -> Option<Cow<'k, str>> {
        let mut elements = Elements::of(key);
        elements.bucket()?;
        elements.text()
    }

    fn entry(&mut self, key: &[u8], value: &[u8]) -> Option<ListedObject> {
        let mut elements = Elements::of(key);
        elements.bucket()?;
        let key = elements.object_key()?;
        let listed = HeadRow::decode(&Bytes::copy_from_slice(value))?.listed?;
        Some(ListedObject {
            key,
            modified_at: listed.modified_at,
            size: listed.size,
            etag: listed.etag,
            owner: listed.owner,
            storage_class: listed.storage_class,
            checksum: listed.checksum,
        })
    }

    fn starting_with(&self, prefix: &str) -> KeyRange {
        keys::live_objects(self.0, prefix)
    }
}
