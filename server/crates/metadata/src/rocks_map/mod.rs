//! The ordered map on disk: RocksDB.

mod options;

use std::fmt;
use std::path::Path;

use bytes::Bytes;
use rocksdb::{
    BottommostLevelCompaction, ColumnFamily, CompactOptions, DB, ErrorKind, ReadOptions, WriteBatch,
    WriteOptions,
};

use crate::clocks::Clocks;
use crate::directory;
use crate::embedded::EmbeddedMetadata;
use crate::format;
use crate::ordered_map::{Changes, Durability, Effort, Family, Key, KeyRange, OrderedMap, ScanEnd, Visitor};
use crate::reopening::Opener;
use crate::{MetadataError, OpenError, Result, Timing};

/// Stored keys that a bounded scan skips: more would hold the committer up for longer than a synced write. A deleted
/// row counts once for its deletion and, until they are merged, once for each of its versions.
const SKIPPED_KEYS: u64 = 1000;

/// The durable store of one process.
pub type RocksMetadata = EmbeddedMetadata<RocksMap>;

impl RocksMetadata {
    /// Opens the database at `path`, or makes one. Blocks for as long as the disk takes, and does nothing beyond
    /// opening, whatever is in it.
    ///
    /// # Errors
    /// [`OpenError::Locked`] while another process has it open, [`OpenError::NewerFormat`] and
    /// [`OpenError::OlderFormat`] when another version has to read it, [`OpenError::Failed`] when it cannot be used.
    pub fn open(
        path: &Path,
        clocks: impl Into<Clocks>,
        timing: Timing,
    ) -> std::result::Result<Self, OpenError> {
        format::check(path)?;
        directory::make_durable(path)
            .map_err(|error| OpenError::Failed(format!("{}: {error}", path.display())))?;
        format::mark(path)?;
        let map = RocksMap::open(path)?;
        // Whoever had it open until now may have been another version.
        format::check(path)?;
        let (path, same) = (path.to_owned(), path.to_owned());
        let open = Opener::new(
            move || RocksMap::open(&path),
            move || RocksMap::open_to_read(&same),
        );
        Ok(Self::over(map, open, clocks.into(), timing))
    }
}

/// Rows in RocksDB.
pub struct RocksMap {
    database: DB,
}

impl RocksMap {
    /// Opens the database at `path`, or makes one.
    pub(crate) fn open(path: &Path) -> std::result::Result<Self, OpenError> {
        let database = DB::open_cf_descriptors(&options::database(), path, options::families())
            .map_err(|error| open_error(&error))?;
        Ok(Self { database })
    }

    /// Opens the database at `path` without writing anything, also beside somebody who has it open. Every write to it
    /// fails.
    pub(crate) fn open_to_read(path: &Path) -> std::result::Result<Self, OpenError> {
        let opened =
            DB::open_cf_descriptors_read_only(&options::database(), path, options::families(), false);
        let database = opened.map_err(|error| open_error(&error))?;
        Ok(Self { database })
    }

    /// Writes the rows in memory out as tables.
    #[cfg(test)]
    pub(crate) fn flush(&self) {
        for family in Family::ALL {
            self.database.flush_cf(self.handle(family).unwrap()).unwrap();
        }
    }

    /// What the block cache holds.
    #[cfg(test)]
    pub(crate) fn block_cache_bytes(&self) -> u64 {
        self.meta_property("rocksdb.block-cache-usage")
    }

    /// What the open tables hold beside the block cache.
    #[cfg(test)]
    pub(crate) fn table_reader_bytes(&self) -> u64 {
        self.meta_property("rocksdb.estimate-table-readers-mem")
    }

    #[cfg(test)]
    fn meta_property(&self, name: &str) -> u64 {
        let handle = self.handle(Family::Meta).unwrap();
        self.database
            .property_int_value_cf(handle, name)
            .unwrap()
            .unwrap()
    }

    fn handle(&self, family: Family) -> Result<&ColumnFamily> {
        let name = options::name(family);
        self.database
            .cf_handle(name)
            .ok_or_else(|| MetadataError::Corrupt(format!("column family {name} is absent")))
    }
}

impl OrderedMap for RocksMap {
    fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        let value = self.database.get_pinned_cf(self.handle(key.family)?, &key.bytes);
        Ok(value
            .map_err(read_error)?
            .map(|value| Bytes::copy_from_slice(&value)))
    }

    fn multi_get(&self, family: Family, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>> {
        let values = self
            .database
            .batched_multi_get_cf(self.handle(family)?, keys, false);
        let copy = |value: rocksdb::DBPinnableSlice<'_>| Bytes::copy_from_slice(&value);
        values
            .into_iter()
            .map(|value| value.map(|value| value.map(copy)).map_err(read_error))
            .collect()
    }

    fn scan(&self, range: &KeyRange, effort: Effort, visit: &mut Visitor<'_>) -> Result<ScanEnd> {
        if range.from >= range.to {
            return Ok(ScanEnd::Complete);
        }
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(range.to.as_slice());
        if effort == Effort::Bounded {
            options.set_max_skippable_internal_keys(SKIPPED_KEYS);
        }
        let mut rows = self
            .database
            .raw_iterator_cf_opt(self.handle(range.family)?, options);
        rows.seek(&range.from);
        while let Some((key, value)) = rows.item() {
            if visit(key, value).is_break() {
                return Ok(ScanEnd::Complete);
            }
            rows.next();
        }
        match rows.status() {
            Ok(()) => Ok(ScanEnd::Complete),
            Err(error) if error.kind() == ErrorKind::Incomplete => Ok(ScanEnd::TooManyDeleted),
            Err(error) => Err(read_error(error)),
        }
    }

    fn tidy(&self, range: &KeyRange) -> Result<()> {
        let mut options = CompactOptions::default();
        // Others go on compacting meanwhile.
        options.set_exclusive_manual_compaction(false);
        // A table of deletions that overlaps no other is otherwise moved to the last level as it is.
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        let (handle, from, to) = (
            self.handle(range.family)?,
            range.from.as_slice(),
            range.to.as_slice(),
        );
        self.database
            .compact_range_cf_opt(handle, Some(from), Some(to), &options);
        Ok(())
    }

    fn write(&self, changes: &Changes, durability: Durability) -> Result<()> {
        let mut batch = WriteBatch::default();
        for family in Family::ALL {
            let handle = self.handle(family)?;
            for (key, value) in changes.of(family) {
                match value {
                    Some(value) => batch.put_cf(handle, key, value),
                    None => batch.delete_cf(handle, key),
                }
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        self.database
            .write_opt(batch, &options)
            .map_err(|error| MetadataError::Unavailable(error.to_string()))
    }
}

impl fmt::Debug for RocksMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RocksMap")
            .field("path", &self.database.path())
            .finish()
    }
}

impl Drop for RocksMap {
    fn drop(&mut self) {
        // Compactions are repeated after the next opening; waiting for them would hold a restart up.
        self.database.cancel_all_background_work(true);
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it ends here and reads better in map_err"
)]
fn read_error(error: rocksdb::Error) -> MetadataError {
    match error.kind() {
        ErrorKind::Corruption => MetadataError::Corrupt(error.to_string()),
        _ => MetadataError::Unavailable(error.to_string()),
    }
}

/// RocksDB tells a held lock by its message alone: one text for this process, one for others.
fn open_error(error: &rocksdb::Error) -> OpenError {
    let text = error.to_string();
    let is_held_here = text.contains("lock hold by current process");
    let is_held_elsewhere =
        text.contains("While lock file") && text.contains("Resource temporarily unavailable");
    if is_held_here || is_held_elsewhere {
        OpenError::Locked(text)
    } else {
        OpenError::Failed(text)
    }
}
