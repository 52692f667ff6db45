//! Work that may block, each kind with threads of its own.
//!
//! A disk that is slow to write holds every thread that writes. When reads, lists and sign-ins waited for the same
//! threads, they would stand still too. So each kind of work has a [`Pool`]: its work waits in line for its own threads,
//! and for no others.

mod pool;

use std::sync::LazyLock;
use std::thread::available_parallelism;

pub use pool::Pool;

/// Writing and syncing the bytes of uploads.
pub static BLOB_WRITES: LazyLock<Pool> = LazyLock::new(|| Pool::new("blob-writes", disk_threads()));

/// Opening and reading bytes that are not in memory.
pub static BLOB_READS: LazyLock<Pool> = LazyLock::new(|| Pool::new("blob-reads", disk_threads()));

/// Deleting and listing files.
pub static BLOB_UPKEEP: LazyLock<Pool> = LazyLock::new(|| Pool::new("blob-upkeep", 16));

/// Looking whether the disk works. One at a time: on a disk that hangs more would only hang as well.
pub static BLOB_PROBES: LazyLock<Pool> = LazyLock::new(|| Pool::new("blob-probes", 1));

/// Long reads of the database.
pub static METADATA_READS: LazyLock<Pool> = LazyLock::new(|| Pool::new("metadata-reads", disk_threads()));

/// Verifying passwords: each takes a processor, and 19 MiB of memory with the hashes that this product makes.
pub static PASSWORDS: LazyLock<Pool> = LazyLock::new(|| Pool::new("passwords", 4));

/// Hashing bytes on their way into a store, beside their writing.
pub static CONTENT_HASHES: LazyLock<Pool> = LazyLock::new(|| Pool::new("content-hashes", processors()));

/// Hashing bytes that were stored before.
pub static HASHES: LazyLock<Pool> = LazyLock::new(|| Pool::new("hashes", processors()));

/// All pools.
pub fn pools() -> [&'static Pool; 8] {
    [
        &BLOB_WRITES,
        &BLOB_READS,
        &BLOB_UPKEEP,
        &BLOB_PROBES,
        &METADATA_READS,
        &PASSWORDS,
        &CONTENT_HASHES,
        &HASHES,
    ]
}

/// How many threads for blocking work a runtime must allow, so that no pool ever waits for the threads of another.
pub fn threads() -> usize {
    pools().iter().map(|pool| pool.threads()).sum()
}

/// Threads that wait for a disk: enough to keep it busy, few enough to be cheap.
fn disk_threads() -> usize {
    (16 * processors()).min(256)
}

fn processors() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}
