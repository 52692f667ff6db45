//! Rows and bytes need folders of their own: whoever empties, restores or unmounts one of them would take the other with it.

use std::path::{Path, PathBuf};

use zas_config::{BlobLocation, Configuration, MetadataLocation};

/// What is wrong when the folders of rows and bytes are one, or one is inside the other. Links are followed as far as there
/// is something already.
pub(super) fn overlap(configuration: &Configuration) -> Option<String> {
    let storage = &configuration.storage;
    let MetadataLocation::Rocksdb(metadata) = storage.metadata.location() else {
        return None;
    };
    let BlobLocation::Filesystem(blobs) = storage.blobs.location() else {
        return None;
    };
    let (rows, bytes) = (resolved(metadata), resolved(blobs));
    if !rows.starts_with(&bytes) && !bytes.starts_with(&rows) {
        return None;
    }
    Some(format!(
        "storage: metadata.path ({}) and blobs.path ({}) must be two folders, none inside the other",
        metadata.display(),
        blobs.display()
    ))
}

/// The path from the root, without links and dots where that can be known.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for known in path.ancestors() {
        if let (Ok(place), Ok(rest)) = (known.canonicalize(), path.strip_prefix(known)) {
            return place.join(rest);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn overlap_of(metadata: &Path, blobs: &Path) -> Option<String> {
        let text = format!(
            "configVersion: 1\nstorage: {{metadata: {{path: {}}}, blobs: {{path: {}}}}}\n",
            metadata.display(),
            blobs.display()
        );
        overlap(&Configuration::parse(Path::new("test.yaml"), &text).unwrap())
    }

    #[test]
    fn given_folders_of_rows_and_bytes_when_one_is_in_the_other_then_told_however_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("real")).unwrap();
        symlink(root.join("real"), root.join("link")).unwrap();
        for (metadata, blobs) in [
            ("real", "real"),
            ("new", "new"),
            ("new/", "./new"),
            ("real", "link"),
            ("real/rows", "link"),
            ("link", "real/deep/bytes"),
        ] {
            let told = overlap_of(&root.join(metadata), &root.join(blobs));
            let told = told.unwrap_or_else(|| panic!("{metadata} and {blobs} are accepted"));
            assert!(told.contains(metadata) && told.contains("blobs.path"), "{told}");
        }
        for (metadata, blobs) in [("rows", "bytes"), ("real/rows", "link/bytes"), ("data", "data2")] {
            assert_eq!(overlap_of(&root.join(metadata), &root.join(blobs)), None);
        }
    }

    #[test]
    fn given_defaults_or_memory_when_compared_then_nothing_overlaps() {
        assert_eq!(overlap(&Configuration::default()), None);
        let text = "configVersion: 1\nstorage: {metadata: {engine: memory}, blobs: {path: data}}\n";
        assert_eq!(
            overlap(&Configuration::parse(Path::new("test.yaml"), text).unwrap()),
            None
        );
    }
}
