//! Access keys: by id, by owner, and by the key-encryption key that they need while they are not revoked.

use bytes::Bytes;

use crate::keys::Elements;
use crate::operations::listings;
use crate::ordered_map::Effort;
use crate::rows::{AccessKeyRow, EmptyRow, Row as _, Unknown};
use crate::transaction::Transaction;
use crate::view::View;
use crate::{
    AccessKey, CreateAccessKeyOutcome, ListAccessKeys, NewAccessKey, Page, Result, RevokeOutcome, keys,
};

/// Makes an access key whose id is free.
pub(crate) fn create(transaction: &mut Transaction<'_>, key: NewAccessKey) -> Result<CreateAccessKeyOutcome> {
    let place = keys::access_key(&key.id);
    if transaction.view().has(&place)? {
        return Ok(CreateAccessKeyOutcome::Exists);
    }
    let row = AccessKeyRow {
        owner: key.owner,
        kid: key.kid,
        created_at: transaction.now(),
        expires_at: key.expires_at,
        description: key.description,
        revoked_at: None,
        unknown: Unknown::default(),
    };
    transaction.put(place, &row);
    transaction.put(keys::access_key_of(&row.owner, &key.id), &row);
    transaction.put(keys::access_key_under(&row.kid, &key.id), &EmptyRow);
    Ok(CreateAccessKeyOutcome::Created(described(key.id, row)))
}

/// The access key of an id.
pub(crate) fn find(view: &View<'_>, id: &str) -> Result<Option<AccessKey>> {
    let row = view.row::<AccessKeyRow>(&keys::access_key(id))?;
    Ok(row.map(|row| described(id.to_owned(), row)))
}

fn described(id: String, row: AccessKeyRow) -> AccessKey {
    AccessKey {
        id,
        owner: row.owner,
        kid: row.kid,
        created_at: row.created_at,
        expires_at: row.expires_at,
        description: row.description,
        revoked_at: row.revoked_at,
    }
}

/// Access keys of one owner or of all.
pub(crate) fn list(
    view: &View<'_>,
    list: &ListAccessKeys,
    effort: Effort,
) -> Result<Option<Page<AccessKey>>> {
    let range = match &list.owner {
        Some(owner) => keys::access_keys_of(owner),
        None => keys::access_keys(),
    };
    let after = list.after.as_ref().map(|after| match &list.owner {
        Some(owner) => keys::access_key_of(owner, after),
        None => keys::access_key(after),
    });
    let range = match after {
        Some(after) => range.after(&after),
        None => range,
    };
    listings::page(view, &range, list.count, effort, |key, value| {
        let mut elements = Elements::of(key);
        if list.owner.is_some() {
            elements.text()?;
            elements.text()?;
        }
        let row = AccessKeyRow::decode(&Bytes::copy_from_slice(value))?;
        Some(described(elements.string()?, row))
    })
}

/// Revokes an access key.
pub(crate) fn revoke(transaction: &mut Transaction<'_>, id: &str) -> Result<RevokeOutcome> {
    let place = keys::access_key(id);
    let Some(mut row) = transaction.view().row::<AccessKeyRow>(&place)? else {
        return Ok(RevokeOutcome::Unknown);
    };
    if row.revoked_at.is_some() {
        return Ok(RevokeOutcome::Revoked);
    }
    row.revoked_at = Some(transaction.now());
    transaction.put(place, &row);
    transaction.put(keys::access_key_of(&row.owner, id), &row);
    transaction.delete(keys::access_key_under(&row.kid, id));
    Ok(RevokeOutcome::Revoked)
}

/// The key-encryption keys that are needed: the first row of each is enough.
pub(crate) fn used_kids(view: &View<'_>, effort: Effort) -> Result<Option<Vec<String>>> {
    let mut kids: Vec<String> = Vec::new();
    loop {
        let range = keys::access_keys_under(kids.last().map(String::as_str));
        let first = listings::page(view, &range, 1, effort, |key, _| Elements::of(key).string())?;
        let Some(first) = first else { return Ok(None) };
        let Some(kid) = first.entries.into_iter().next() else {
            return Ok(Some(kids));
        };
        kids.push(kid);
    }
}
