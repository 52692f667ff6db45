//! Blobs as repositories and buckets hold them.

use zas_core::{Digest, Holder};

use crate::operations::links;
use crate::rows::{BlobRow, EmptyRow, LinkRow, Payload, StoredContent};
use crate::transaction::Transaction;
use crate::view::{MAX_ATTEMPTS, View, decode};
use crate::{BlobContent, BlobStat, MetadataError, MountOutcome, Result, keys};

/// A blob and the link that makes it its holder's.
pub(crate) struct HeldBlob {
    /// The link.
    pub(crate) link: LinkRow,
    /// What the caller is told.
    pub(crate) stat: BlobStat,
}

/// Looks up a blob of a holder.
pub(crate) fn look_up(view: &View<'_>, holder: &Holder, digest: &Digest) -> Result<Option<HeldBlob>> {
    // A reader may come between the removal of an inline blob's bytes and its look at them: then the rows have
    // changed too, and the second look tells.
    for _ in 0..MAX_ATTEMPTS {
        let Some((link, blob)) = read_rows(view, holder, digest)? else {
            return Ok(None);
        };
        if blob.damaged_since.is_some() {
            return Err(MetadataError::Corrupt(format!(
                "blob {digest} is damaged: its stored bytes do not have its digest"
            )));
        }
        let content = match blob.content {
            StoredContent::Extents(extents) => Some(BlobContent::Extents(extents)),
            StoredContent::Inline => {
                let data = view.row::<Payload>(&keys::blob_data(digest))?;
                data.map(|Payload(bytes)| BlobContent::Inline(bytes))
            }
        };
        if let Some(content) = content {
            let stat = BlobStat {
                size: blob.size,
                content,
                upload: link.upload,
            };
            return Ok(Some(HeldBlob { link, stat }));
        }
    }
    Err(MetadataError::Corrupt(format!(
        "inline blob {digest} has no bytes"
    )))
}

fn read_rows(view: &View<'_>, holder: &Holder, digest: &Digest) -> Result<Option<(LinkRow, BlobRow)>> {
    let (link_key, blob_key) = (keys::link(digest, holder), keys::blob(digest));
    let mut values = view
        .meta_values(&[link_key.clone(), blob_key.clone()])?
        .into_iter();
    let (Some(link), Some(blob)) = (values.next().flatten(), values.next().flatten()) else {
        return Ok(None);
    };
    Ok(Some((
        decode(&link_key.bytes, &link)?,
        decode(&blob_key.bytes, &blob)?,
    )))
}

/// Looks a blob up and renews its lease when less than half is left.
pub(crate) fn stat_and_renew(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    digest: &Digest,
) -> Result<Option<BlobStat>> {
    let Some(HeldBlob { link, stat }) = look_up(&transaction.view(), holder, digest)? else {
        return Ok(None);
    };
    links::renew(transaction, holder, digest, link);
    Ok(Some(stat))
}

/// Makes `to` hold what `from` holds.
pub(crate) fn mount(
    transaction: &mut Transaction<'_>,
    from: &Holder,
    to: &Holder,
    digest: &Digest,
) -> Result<MountOutcome> {
    let Some(link) = transaction.view().row::<LinkRow>(&keys::link(digest, from))? else {
        return Ok(MountOutcome::Unknown);
    };
    let blob = transaction
        .view()
        .row_to_replace::<BlobRow>(&keys::blob(digest))?;
    if blob.is_none_or(|blob| blob.damaged_since.is_some()) {
        // The client uploads it instead, which heals it.
        return Ok(MountOutcome::Unknown);
    }
    links::grant(transaction, to, digest, link.size, None)?;
    Ok(MountOutcome::Mounted)
}

/// Takes a blob from a holder. Whether it was the last one to hold it is seen when the entry comes due.
pub(crate) fn unlink(transaction: &mut Transaction<'_>, holder: &Holder, digest: &Digest) -> Result<bool> {
    let key = keys::link(digest, holder);
    if !transaction.view().has(&key)? {
        return Ok(false);
    }
    transaction.delete(key);
    transaction.put(keys::due(transaction.now(), holder, digest), &EmptyRow);
    Ok(true)
}
