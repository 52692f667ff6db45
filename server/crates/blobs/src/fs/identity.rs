//! Which store the files below a root belong to: `<root>/ZAS_STORE`.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zas_core::StoreId;

use super::disk::Disk;

const FILE: &str = "ZAS_STORE";

/// Longest text read, in bytes.
const MAX_BYTES: u64 = 4096;

/// What the file says; `None` without a file.
pub(super) fn read(root: &Path) -> io::Result<Option<StoreId>> {
    let path = root.join(FILE);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    let id = text
        .trim_end()
        .strip_prefix("store: ")
        .and_then(|id| id.parse().ok());
    let damaged = || {
        let problem = format!("{} names no store: restore it from a backup", path.display());
        io::Error::new(io::ErrorKind::InvalidData, problem)
    };
    id.map(Some).ok_or_else(damaged)
}

/// Writes the file, which survives power loss when this returns.
pub(super) fn write(root: &Path, disk: &dyn Disk, id: StoreId) -> io::Result<()> {
    let partial = root.join(format!("{FILE}.partial"));
    let mut file = File::create(&partial)?;
    file.write_all(format!("store: {id}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, root.join(FILE))?;
    disk.sync_directory(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_damaged_file_when_read_then_refused_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["", "store: \n", "store: mine\n", "id: 1\n"] {
            fs::write(directory.path().join(FILE), text).unwrap();
            let error = read(directory.path()).unwrap_err();
            assert!(error.to_string().contains(FILE), "{error}");
        }
    }
}
