//! The committed inputs.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of a target's committed inputs.
pub fn corpus_folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// Every committed input of a target with its name, in the order of names.
///
/// # Panics
/// When the folder cannot be read.
pub fn read_corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = corpus_folder(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let entry = entry.expect("a folder's entry can be read");
            let input = fs::read(entry.path()).expect("an input can be read");
            (entry.file_name().to_string_lossy().into_owned(), input)
        })
        .collect();
    inputs.sort();
    inputs
}
