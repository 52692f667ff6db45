//! A file that is exchanged as a whole, by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// The right to exchange a file, until dropped. Reading needs no right: readers see the file before or after.
#[derive(Debug)]
pub(super) struct LockedFile {
    path: PathBuf,
    directory: PathBuf,
    _lock: File,
}

impl LockedFile {
    /// Waits for whoever else exchanges the file, which need not exist yet. Its directory is made when missing. A link
    /// stays one: the file that it leads to is exchanged.
    pub(super) fn lock(path: &Path) -> io::Result<Self> {
        let path = resolve(path)?;
        let directory = directory_of(&path).to_owned();
        // Not the file itself is locked: it is about to be replaced by another one.
        let lock = directory.join(format!(".{}.lock", name_of(&path)?));
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(lock)?;
        lock.lock()?;
        Ok(Self {
            path,
            directory,
            _lock: lock,
        })
    }

    /// The file itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Exchanges the file. A new one is readable by its owner only; one that was there keeps owner and mode. When this
    /// returns, the change survives power loss; when it fails, the file is as before. The nonce is random, so that
    /// nobody can tell the name under which the new text is written first.
    pub(super) fn replace(&self, text: &[u8], nonce: u64) -> io::Result<()> {
        let partial = self
            .directory
            .join(format!(".{}.{nonce:016x}", name_of(&self.path)?));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)?;
        let replaced = self
            .fill(file, text)
            .and_then(|()| fs::rename(&partial, &self.path));
        if let Err(error) = replaced {
            // What went wrong first is told; the rest of it does no harm.
            drop(fs::remove_file(&partial));
            return Err(error);
        }
        File::open(&self.directory)?.sync_all()
    }

    fn fill(&self, mut file: File, text: &[u8]) -> io::Result<()> {
        file.write_all(text)?;
        match fs::metadata(&self.path) {
            Ok(before) => {
                let new = file.metadata()?;
                if (new.uid(), new.gid()) != (before.uid(), before.gid()) {
                    fchown(&file, Some(before.uid()), Some(before.gid()))?;
                }
                file.set_permissions(before.permissions())?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        file.sync_all()
    }
}

fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        resolved => return resolved,
    }
    let directory = directory_of(path);
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    Ok(fs::canonicalize(directory)?.join(name_of(path)?))
}

fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

fn name_of(path: &Path) -> io::Result<&str> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path ends in no file name"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn given_a_link_when_exchanged_then_it_stays_one_and_the_file_keeps_its_mode() {
        // Given
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();

        // When
        LockedFile::lock(&link).unwrap().replace(b"after", 7).unwrap();

        // Then
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn given_a_neighbour_of_the_same_name_when_exchanged_then_neither_is_touched() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        let neighbour = directory.path().join(format!(".file.{:016x}", 7));
        fs::write(&neighbour, "mine").unwrap();
        assert!(LockedFile::lock(&file).unwrap().replace(b"text", 7).is_err());
        assert_eq!(fs::read_to_string(&neighbour).unwrap(), "mine");
        assert!(!file.try_exists().unwrap());
    }
}
