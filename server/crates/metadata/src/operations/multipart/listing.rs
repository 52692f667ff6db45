//! Listings of open multipart uploads.

use std::borrow::Cow;

use bytes::Bytes;
use zas_core::BucketId;

use crate::keys::Elements;
use crate::operations::objects::walk::{Table, Walk, walk};
use crate::ordered_map::{Effort, KeyRange};
use crate::rows::{MultipartRow, Row as _};
use crate::view::View;
use crate::{ListMultiparts, Multipart, MultipartPage, MultipartPosition, Result, keys};

/// The open multipart uploads of a bucket; `None` when a bounded effort does not get there.
pub(crate) fn multiparts(
    view: &View<'_>,
    list: &ListMultiparts,
    effort: Effort,
) -> Result<Option<MultipartPage>> {
    let mut table = Multiparts(list.bucket);
    let range = table.starting_with(&list.prefix);
    let range = match &list.after {
        None => range,
        Some(MultipartPosition::Prefix(prefix)) => range.starting_at(&table.starting_with(prefix).to),
        Some(MultipartPosition::Key(key)) => range.starting_at(&keys::multiparts_of(list.bucket, key).to),
        Some(MultipartPosition::Upload(key, id)) => {
            range.after(&keys::multipart_position(list.bucket, key, *id))
        }
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
    let last = if walked.ends_with_prefix {
        walked.prefixes.last().cloned().map(MultipartPosition::Prefix)
    } else {
        let last: Option<&Multipart> = walked.entries.last();
        last.map(|last| MultipartPosition::Upload(last.key.as_str().to_owned(), last.id))
    };
    Ok(Some(MultipartPage {
        uploads: walked.entries,
        prefixes: walked.prefixes,
        next: last.filter(|_| walked.more),
    }))
}

struct Multiparts(BucketId);

impl Table<Multipart> for Multiparts {
    fn name<'k>(&self, key: &'k [u8]) -> Option<Cow<'k, str>> {
        let mut elements = Elements::of(key);
        elements.bucket()?;
        elements.text()
    }

    fn entry(&mut self, key: &[u8], value: &[u8]) -> Option<Multipart> {
        let mut elements = Elements::of(key);
        elements.bucket()?;
        let key = elements.object_key()?;
        let id = elements.id()?;
        let row = MultipartRow::decode(&Bytes::copy_from_slice(value))?;
        Some(Multipart {
            key,
            id,
            initiator: row.initiator,
            created_at: row.created_at,
            attributes: row.attributes,
        })
    }

    fn starting_with(&self, prefix: &str) -> KeyRange {
        keys::multiparts(self.0, prefix)
    }
}
