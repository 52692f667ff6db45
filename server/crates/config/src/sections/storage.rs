//! Where rows and bytes are kept.

use std::path::{Path, PathBuf};

use crate::ByteSize;
use crate::section::section;
use crate::values::keyword::keywords;

keywords! {
    /// What keeps the rows.
    pub enum MetadataEngine {
        /// RocksDB, embedded and durable.
        #[default]
        Rocksdb = "rocksdb",
        /// Memory: everything is gone when the server stops.
        Memory = "memory",
    }
}

keywords! {
    /// What keeps the bytes.
    pub enum BlobStoreKind {
        /// Files below one folder.
        #[default]
        Filesystem = "filesystem",
        /// Memory: everything is gone when the server stops.
        Memory = "memory",
    }
}

section! {
    /// Where rows and bytes are kept.
    pub struct Storage {
        /// The rows: repositories, tags, manifests, links.
        restart "metadata" metadata: MetadataStorage = MetadataStorage::default();
        /// The bytes of blobs and manifests.
        restart "blobs" blobs: BlobStorage = BlobStorage::default();
    }
}

section! {
    /// Where the rows are kept.
    pub struct MetadataStorage {
        /// What keeps the rows. `memory` loses everything when the server stops.
        restart "engine" engine: MetadataEngine = MetadataEngine::Rocksdb;
        /// The folder of the database, `data/metadata` when absent. Not allowed with `memory`.
        restart "path" path: Option<PathBuf> = None, example "data/metadata";
    }
    check |storage| match (storage.engine, &storage.path) {
        (MetadataEngine::Memory, Some(_)) => Err("path is not allowed with engine memory: remove it or use engine rocksdb".to_owned()),
        _ => Ok(()),
    }
}

section! {
    /// Where the bytes are kept.
    pub struct BlobStorage {
        /// What keeps the bytes. `memory` loses everything when the server stops.
        restart "store" store: BlobStoreKind = BlobStoreKind::Filesystem;
        /// The folder of the files, `data/blobs` when absent. Not allowed with `memory`.
        restart "path" path: Option<PathBuf> = None, example "data/blobs";
        /// Free space that uploads must leave on the disk: beyond it they are refused before the disk is full.
        restart "reserve" reserve: ByteSize = ByteSize::gib(1);
        /// How many bytes of a blob are read and sent at a time.
        restart "readChunk" read_chunk: ByteSize = ByteSize::kib(256), in ByteSize::kib(16)..=ByteSize::mib(8);
    }
    check |storage| match (storage.store, &storage.path) {
        (BlobStoreKind::Memory, Some(_)) => Err("path is not allowed with store memory: remove it or use store filesystem".to_owned()),
        _ => Ok(()),
    }
}

/// The place of the rows, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataLocation<'a> {
    /// The folder of a RocksDB database.
    Rocksdb(&'a Path),
    /// Memory.
    Memory,
}

/// The place of the bytes, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobLocation<'a> {
    /// The folder of the files.
    Filesystem(&'a Path),
    /// Memory.
    Memory,
}

impl MetadataStorage {
    /// The place of the rows, with the default path filled in. Relative paths are relative to the working directory.
    pub fn location(&self) -> MetadataLocation<'_> {
        match self.engine {
            MetadataEngine::Rocksdb => {
                MetadataLocation::Rocksdb(self.path.as_deref().unwrap_or(Path::new("data/metadata")))
            }
            MetadataEngine::Memory => MetadataLocation::Memory,
        }
    }
}

impl BlobStorage {
    /// The place of the bytes, with the default path filled in. Relative paths are relative to the working directory.
    pub fn location(&self) -> BlobLocation<'_> {
        match self.store {
            BlobStoreKind::Filesystem => {
                BlobLocation::Filesystem(self.path.as_deref().unwrap_or(Path::new("data/blobs")))
            }
            BlobStoreKind::Memory => BlobLocation::Memory,
        }
    }
}
