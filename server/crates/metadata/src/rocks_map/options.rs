//! How RocksDB is set up, with the reason for each choice.

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, DataBlockIndexType,
    InfoLogger, LogLevel, Options,
};

use crate::ordered_map::Family;

const MIB: usize = 1 << 20;

/// Uncompressed data blocks of all families. Index and filter are not in it, see [`tables`].
const BLOCK_CACHE: usize = 64 * MIB;
/// One family's rows before they are written out as a table.
const WRITE_BUFFER: usize = 16 * MIB;
/// All families' rows that are not in tables yet.
const ALL_WRITE_BUFFERS: usize = 96 * MIB;
/// Bounds both the disk that the log takes and the time that replaying it takes at start.
const WRITE_AHEAD_LOG: u64 = 128 * MIB as u64;
/// Values from here on go to blob files, so that compaction does not copy bodies over and over.
const BLOB_VALUE: u64 = 1024;
/// Open tables, each with its index and filter in memory: with tables of 64 MiB more than 64 GiB of rows.
const OPEN_FILES: i32 = 1024;

/// The column family of a [`Family`].
pub(super) fn name(family: Family) -> &'static str {
    match family {
        Family::Meta => "meta",
        Family::Data => "data",
        Family::Queue => "queue",
    }
}

/// What holds for the whole database.
pub(super) fn database() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    // After power loss the log may end in a torn or missing part of what was never synced. Replay up to the first
    // record that does not check and drop the rest: everything acknowledged was synced and lies before it, and a
    // group is one record, so it is there whole or not at all. Refusing to open (absolute consistency) would turn
    // every power loss into an outage; skipping over bad records would bring back a later group without an
    // earlier one.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_max_total_wal_size(WRITE_AHEAD_LOG);
    options.set_db_write_buffer_size(ALL_WRITE_BUFFERS);
    options.set_max_open_files(OPEN_FILES);
    options.set_max_background_jobs(2);
    // Writes dirty pages out steadily instead of in one burst that a synced group would have to wait for.
    options.set_bytes_per_sync(MIB as u64);
    options.set_skip_stats_update_on_db_open(true);
    options.set_log_level(LogLevel::Warn);
    options.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Warn, say));
    options.set_stats_dump_period_sec(0);
    options
}

/// Says in the server's log what RocksDB warns of: that it dropped a damaged part of its own, for example.
fn say(level: LogLevel, message: &str) {
    let detail = message.trim_end();
    match level {
        LogLevel::Error | LogLevel::Fatal => tracing::error!(detail, "RocksDB reports an error"),
        LogLevel::Warn => tracing::warn!(detail, "RocksDB warns"),
        LogLevel::Debug | LogLevel::Info | LogLevel::Header => {}
    }
}

/// Every column family with its options.
pub(super) fn families() -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_hyper_clock_cache(BLOCK_CACHE, 0);
    let mut families: Vec<_> = Family::ALL
        .into_iter()
        .map(|family| ColumnFamilyDescriptor::new(name(family), options(family, &cache)))
        .collect();
    // RocksDB insists on it; nothing is kept there.
    families.push(ColumnFamilyDescriptor::new(
        rocksdb::DEFAULT_COLUMN_FAMILY_NAME,
        Options::default(),
    ));
    families
}

fn options(family: Family, cache: &Cache) -> Options {
    let mut options = Options::default();
    options.set_block_based_table_factory(&tables(cache));
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(WRITE_BUFFER);
    options.set_max_write_buffer_number(3);
    match family {
        // Edges and links come and go; existence checks must not cross what is left of them.
        Family::Meta => options.add_compact_on_deletion_collector_factory(4096, 1024, 0.5),
        Family::Data => {
            options.set_enable_blob_files(true);
            options.set_min_blob_size(BLOB_VALUE);
            options.set_blob_file_size(64 * MIB as u64);
            options.set_blob_compression_type(DBCompressionType::Lz4);
            options.set_enable_blob_gc(true);
        }
        // Nearly every row here is deleted again.
        Family::Queue => options.add_compact_on_deletion_collector_factory(1024, 256, 0.25),
    }
    options
}

fn tables(cache: &Cache) -> BlockBasedOptions {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(cache);
    // In table memory, bounded by the number of open files: in a sharded block cache a filter of a few megabytes
    // does not fit its shard and is read again for every get.
    tables.set_cache_index_and_filter_blocks(false);
    tables.set_bloom_filter(10.0, false);
    tables.set_format_version(5);
    // Nearly every read is of one key: a search within a block would cost more than finding the block.
    tables.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    tables
}
