//! Reads: the rows of the map as changed by the group of operations under construction.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::{Bound, ControlFlow};

use bytes::Bytes;

use crate::ordered_map::{Changes, Effort, Family, Key, KeyRange, OrderedMap, ScanEnd, Visitor};
use crate::rows::Row;
use crate::{MetadataError, Result};

/// How often a reader looks at rows that are written together but read one after the other, before it calls them
/// damaged: more often than they can change under it.
pub(crate) const MAX_ATTEMPTS: usize = 16;

/// What a search for a row found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A row under this key.
    Row(Key),
    /// None.
    Nothing,
    /// The bound on deleted rows ended the search.
    Unsure,
}

/// The state that an operation or a reader sees.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    map: &'a dyn OrderedMap,
    overlay: Option<&'a Changes>,
}

impl<'a> View<'a> {
    /// What is in the database.
    pub(crate) fn committed(map: &'a dyn OrderedMap) -> Self {
        Self { map, overlay: None }
    }

    /// What will be in the database when `overlay` is written.
    pub(crate) fn with_overlay(map: &'a dyn OrderedMap, overlay: &'a Changes) -> Self {
        Self {
            map,
            overlay: Some(overlay),
        }
    }

    /// The row of a key.
    pub(crate) fn row<R: Row>(&self, key: &Key) -> Result<Option<R>> {
        self.get(key)?.map(|value| decode(&key.bytes, &value)).transpose()
    }

    /// The row of a key for somebody who writes it anew: an unreadable one is none, and is healed by that.
    pub(crate) fn row_to_replace<R: Row>(&self, key: &Key) -> Result<Option<R>> {
        match self.row(key) {
            Err(MetadataError::Corrupt(damage)) => {
                tracing::warn!(%damage, "a damaged row is written anew");
                Ok(None)
            }
            row => row,
        }
    }

    /// Whether a key has a row.
    pub(crate) fn has(&self, key: &Key) -> Result<bool> {
        Ok(self.get(key)?.is_some())
    }

    /// The stored values of several small rows, read together.
    pub(crate) fn meta_values(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>> {
        let overlay = self.overlay.map(|overlay| overlay.of(Family::Meta));
        let changed = |key: &Key| overlay.and_then(|overlay| overlay.get(&key.bytes));
        let unchanged: Vec<Vec<u8>> = keys
            .iter()
            .filter(|key| changed(key).is_none())
            .map(|key| key.bytes.clone())
            .collect();
        let mut stored = self.map.multi_get(Family::Meta, &unchanged)?.into_iter();
        let value = |key: &Key| changed(key).cloned().unwrap_or_else(|| stored.next().flatten());
        Ok(keys.iter().map(value).collect())
    }

    /// Visits the rows of a range in ascending order.
    pub(crate) fn scan(&self, range: &KeyRange, effort: Effort, visit: &mut Visitor<'_>) -> Result<ScanEnd> {
        match self.overlay.map(|overlay| overlay.of(range.family)) {
            Some(overlay) if !overlay.is_empty() => self.scan_merged(overlay, range, effort, visit),
            _ => self.map.scan(range, effort, visit),
        }
    }

    /// The first row of a range that `is_wanted`.
    pub(crate) fn find(
        &self,
        range: &KeyRange,
        effort: Effort,
        mut is_wanted: impl FnMut(&[u8]) -> bool,
    ) -> Result<Found> {
        let mut found = None;
        let end = self.scan(range, effort, &mut |key, _| {
            if !is_wanted(key) {
                return ControlFlow::Continue(());
            }
            found = Some(Key {
                family: range.family,
                bytes: key.to_vec(),
            });
            ControlFlow::Break(())
        })?;
        Ok(match (found, end) {
            (Some(key), _) => Found::Row(key),
            (None, ScanEnd::Complete) => Found::Nothing,
            (None, ScanEnd::TooManyDeleted) => Found::Unsure,
        })
    }

    fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        match self
            .overlay
            .and_then(|overlay| overlay.of(key.family).get(&key.bytes))
        {
            Some(changed) => Ok(changed.clone()),
            None => self.map.get(key),
        }
    }

    fn scan_merged(
        &self,
        overlay: &BTreeMap<Vec<u8>, Option<Bytes>>,
        range: &KeyRange,
        effort: Effort,
        visit: &mut Visitor<'_>,
    ) -> Result<ScanEnd> {
        if range.from >= range.to {
            return Ok(ScanEnd::Complete);
        }
        let bounds = (
            Bound::Included(range.from.as_slice()),
            Bound::Excluded(range.to.as_slice()),
        );
        let mut changed = overlay.range::<[u8], _>(bounds).peekable();
        let mut stopped = false;
        let end = self.map.scan(range, effort, &mut |key, value| {
            let mut step = visit_changed_below(&mut changed, Some(key), visit);
            if step.is_continue() {
                step = match changed.next_if(|(changed, _)| changed.as_slice() == key) {
                    Some((_, Some(newer))) => visit(key, newer),
                    Some((_, None)) => ControlFlow::Continue(()),
                    None => visit(key, value),
                };
            }
            stopped = step.is_break();
            step
        })?;
        // Behind deleted rows there may be a stored key below the next changed one: the order is not known.
        if end == ScanEnd::Complete && !stopped {
            let _ = visit_changed_below(&mut changed, None, visit);
        }
        Ok(end)
    }
}

fn visit_changed_below<'a>(
    changed: &mut Peekable<impl Iterator<Item = (&'a Vec<u8>, &'a Option<Bytes>)>>,
    limit: Option<&[u8]>,
    visit: &mut Visitor<'_>,
) -> ControlFlow<()> {
    while let Some((key, value)) =
        changed.next_if(|(key, _)| limit.is_none_or(|limit| key.as_slice() < limit))
    {
        if let Some(value) = value {
            visit(key, value)?;
        }
    }
    ControlFlow::Continue(())
}

/// Reads a stored row; an unreadable one is named.
pub(crate) fn decode<R: Row>(key: &[u8], value: &Bytes) -> Result<R> {
    R::decode(value).ok_or_else(|| MetadataError::Corrupt(format!("{} at {}", R::NAME, key.escape_ascii())))
}
