//! The directory that a database is in.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Makes a directory and whatever is missing above it, all of which survives power loss when this returns.
///
/// The database makes directories too, and syncs none above its own: with the name of one of them everything below
/// would be lost. Syncs every directory of the same file system, also those that an earlier process may have made
/// and not synced.
pub(crate) fn make_durable(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    fs::create_dir_all(&path)?;
    let device = path.metadata()?.dev();
    for parent in path.ancestors().skip(1) {
        if parent.metadata()?.dev() != device {
            // The rest was there before: it is where this file system is mounted.
            return Ok(());
        }
        match File::open(parent).and_then(|directory| directory.sync_all()) {
            // Whoever may not look into it did not make anything in it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            synced => synced?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_missing_directories_when_made_then_there_and_again_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/c");
        for _ in 0..2 {
            make_durable(&path).unwrap();
            assert!(path.is_dir());
        }
    }

    #[test]
    fn given_a_file_in_the_way_when_made_then_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(make_durable(&file.join("below")).is_err());
    }
}
