//! Links: who holds which blob, and until when without a reference.

use zas_core::{Digest, Holder, Timestamp, UploadId};

use crate::rows::{EmptyRow, LinkRow, Unknown};
use crate::transaction::Transaction;
use crate::{EdgeOwner, Result, Timing, keys};

/// A lease given now ends then. Twice the grace, so that an answer from its first half still keeps the promise.
pub(crate) fn lease_end(now: Timestamp, timing: Timing) -> Timestamp {
    now.plus(timing.grace).plus(timing.grace)
}

/// Whether less than half of a lease is left, so that a positive answer needs a new one first.
pub(crate) fn needs_renewal(link: &LinkRow, now: Timestamp, timing: Timing) -> bool {
    link.lease_until < now.plus(timing.grace)
}

/// Makes somebody hold a blob, leased; `upload` brought it there.
///
/// A new link gets its due entry. A link that was there has one already or is referenced, and then gets one when
/// its reference goes.
pub(crate) fn grant(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    digest: &Digest,
    size: u64,
    upload: Option<UploadId>,
) -> Result<()> {
    let key = keys::link(digest, holder);
    let lease_until = lease_end(transaction.now(), transaction.timing());
    if let Some(link) = transaction.view().row_to_replace::<LinkRow>(&key)? {
        let lease_until = link.lease_until.max(lease_until);
        transaction.put(
            key,
            &LinkRow {
                lease_until,
                upload: upload.or(link.upload),
                ..link
            },
        );
        return Ok(());
    }
    transaction.put(
        key,
        &LinkRow {
            size,
            lease_until,
            upload,
            unknown: Unknown::default(),
        },
    );
    transaction.put(keys::due(lease_until, holder, digest), &EmptyRow);
    Ok(())
}

/// Extends the lease of a link when less than half of it is left.
pub(crate) fn renew(transaction: &mut Transaction<'_>, holder: &Holder, digest: &Digest, link: LinkRow) {
    if needs_renewal(&link, transaction.now(), transaction.timing()) {
        let lease_until = lease_end(transaction.now(), transaction.timing());
        transaction.put(keys::link(digest, holder), &LinkRow { lease_until, ..link });
    }
}

/// Makes a bucket hold a blob for something that refers to it from now on. An object's bytes are no promise beyond the
/// object, so there is no lease, and with the reference the link goes.
pub(crate) fn hold(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    owner: &EdgeOwner,
    digest: &Digest,
    size: u64,
    upload: Option<UploadId>,
) -> Result<()> {
    transaction.put(keys::edge(digest, holder, owner), &EmptyRow);
    let key = keys::link(digest, holder);
    if transaction.view().row_to_replace::<LinkRow>(&key)?.is_none() {
        let link = LinkRow {
            size,
            lease_until: transaction.now(),
            upload,
            unknown: Unknown::default(),
        };
        transaction.put(key, &link);
    }
    Ok(())
}

/// Removes a reference that [`hold`] made. Whether another one keeps the blob is seen at once, without a grace: the bytes
/// stay for the doom delay.
pub(crate) fn let_go(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    owner: &EdgeOwner,
    digest: &Digest,
) -> Result<()> {
    transaction.delete(keys::edge(digest, holder, owner));
    if let Some(link) = transaction
        .view()
        .row_to_replace::<LinkRow>(&keys::link(digest, holder))?
    {
        let due_at = link.lease_until.max(transaction.now());
        transaction.put(keys::due(due_at, holder, digest), &EmptyRow);
    }
    Ok(())
}

/// Removes a reference. The blob stays for a grace more, then somebody looks at it.
pub(crate) fn release(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    owner: &EdgeOwner,
    digest: &Digest,
) -> Result<()> {
    transaction.delete(keys::edge(digest, holder, owner));
    let key = keys::link(digest, holder);
    let Some(link) = transaction.view().row::<LinkRow>(&key)? else {
        return Ok(());
    };
    let lease_until = link
        .lease_until
        .max(transaction.now().plus(transaction.timing().grace));
    transaction.put(keys::due(lease_until, holder, digest), &EmptyRow);
    transaction.put(key, &LinkRow { lease_until, ..link });
    Ok(())
}
