//! Listing what is stored, shard after shard.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use zas_core::LocationName;

use super::layout::{Layout, shard_of};

/// Warns of files that no store wrote, once in a process.
#[derive(Debug, Default)]
pub(super) struct ForeignFiles(AtomicBool);

impl ForeignFiles {
    fn seen(&self, path: &Path) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(path = %path.display(), "left alone a foreign file among the blobs, and any others like it");
        }
    }
}

/// Up to `count` names behind `after`, ordered by shard and name. Holds the names of one shard at a time.
pub(super) fn scan(
    layout: &Layout,
    foreign: &ForeignFiles,
    after: Option<LocationName>,
    count: usize,
) -> io::Result<Vec<LocationName>> {
    let mut names = Vec::new();
    for shard in after.map_or(0, shard_of)..=u8::MAX {
        if names.len() >= count {
            break;
        }
        let mut found = list(layout, foreign, shard)?;
        if let Some(after) = after.filter(|after| shard_of(*after) == shard) {
            found.retain(|name| *name > after);
        }
        found.sort_unstable();
        found.truncate(count - names.len());
        names.append(&mut found);
    }
    Ok(names)
}

fn list(layout: &Layout, foreign: &ForeignFiles, shard: u8) -> io::Result<Vec<LocationName>> {
    let directory = layout.shard(shard);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
        match name {
            Some(name) if shard_of(name) == shard && entry.file_type()?.is_file() => names.push(name),
            _ => foreign.seen(&entry.path()),
        }
    }
    Ok(names)
}
