//! The files that a server keeps for content.

use std::fs;
use std::path::{Path, PathBuf};

/// All files below the folder of the blobs, without the store's id and its lock, which belong to no content. What vanishes
/// meanwhile is not there.
pub fn stored_files(blobs: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(blobs).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(stored_files(&path));
        } else if !is_of_the_store(&path) {
            found.push(path);
        }
    }
    found
}

fn is_of_the_store(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name == "ZAS_STORE" || name == "ZAS_LOCK")
}
