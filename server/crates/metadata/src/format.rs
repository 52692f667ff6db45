//! The marker of a data directory: which format its rows have and which version gave it to them.
//!
//! It stands in a file beside the database, so that a program which does not know the format finds out before it opens
//! the database: opening alone rewrites files.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::OpenError;

/// The newest format of rows on disk that this version reads, and the one that it writes.
pub const DATA_FORMAT: u32 = 1;

/// The format of a directory without a marker: version 0.1.0 made none.
const UNMARKED_FORMAT: u32 = 1;

const FILE: &str = "ZAS_FORMAT";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Longest marker read, in bytes.
const LONGEST: u64 = 4096;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Marker {
    format: u32,
    written_by: String,
}

/// Refuses a directory whose format is newer than this version knows. Changes nothing.
pub(crate) fn check(directory: &Path) -> Result<(), OpenError> {
    let marker = read(directory).map_err(|error| failed(directory, &error))?;
    match marker {
        Some(marker) if marker.format > DATA_FORMAT => Err(OpenError::NewerFormat {
            directory: directory.to_owned(),
            format: marker.format,
            written_by: marker.written_by,
        }),
        _ => Ok(()),
    }
}

/// Marks a directory that has no marker, for ever: when this returns, the marker survives power loss. To be called by
/// whoever has the database open.
pub(crate) fn mark(directory: &Path) -> Result<(), OpenError> {
    let marked = match read(directory) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => write(directory, UNMARKED_FORMAT),
        Err(error) => Err(error),
    };
    marked.map_err(|error| failed(directory, &error))
}

fn failed(directory: &Path, error: &io::Error) -> OpenError {
    OpenError::Failed(format!("{}: {error}", directory.join(FILE).display()))
}

fn read(directory: &Path) -> io::Result<Option<Marker>> {
    let file = match File::open(directory.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    let damaged = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it names no data format: restore it from a backup",
        )
    };
    Marker::parse(&text).map(Some).ok_or_else(damaged)
}

fn write(directory: &Path, format: u32) -> io::Result<()> {
    let marker = Marker {
        format,
        written_by: VERSION.to_owned(),
    };
    let partial = directory.join(format!("{FILE}.partial"));
    let mut file = File::create(&partial)?;
    file.write_all(marker.text().as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, directory.join(FILE))?;
    File::open(directory)?.sync_all()
}

impl Marker {
    fn text(&self) -> String {
        format!("format: {}\nwritten by: {}\n", self.format, self.written_by)
    }

    /// Lines that a later version may add say nothing here.
    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let lines = text.lines().filter_map(|line| line.split_once(": "));
            let mut values = lines.filter(|(key, _)| *key == name).map(|(_, value)| value);
            values.next()
        };
        Some(Self {
            format: value("format")?.parse().ok()?,
            written_by: value("written by").unwrap_or("unknown").to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(directory: &Path) -> String {
        fs::read_to_string(directory.join(FILE)).unwrap()
    }

    #[test]
    fn given_a_directory_without_a_marker_when_marked_then_it_has_the_first_format_and_keeps_it() {
        let directory = tempfile::tempdir().unwrap();
        check(directory.path()).unwrap();
        mark(directory.path()).unwrap();
        assert_eq!(
            marker(directory.path()),
            format!("format: 1\nwritten by: {VERSION}\n")
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

        fs::write(
            directory.path().join(FILE),
            "format: 1\nwritten by: 0.1.7\nmore: x\n",
        )
        .unwrap();
        mark(directory.path()).unwrap();
        check(directory.path()).unwrap();
        assert!(marker(directory.path()).contains("0.1.7"));
    }

    #[test]
    fn given_a_newer_format_when_checked_then_the_writer_is_named_with_what_to_run() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "format: 2\nwritten by: 7.8.9\n").unwrap();
        let error = check(directory.path()).unwrap_err().to_string();
        for part in [
            "has format 2",
            "written by version 7.8.9",
            "run version 7.8.9 or newer",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn given_a_damaged_marker_when_checked_or_marked_then_refused_by_the_name_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        for text in [
            "",
            "format: \n",
            "format: one\n",
            "written by: 1.2.3\n",
            "format: -1\n",
        ] {
            fs::write(directory.path().join(FILE), text).unwrap();
            for refused in [check(directory.path()), mark(directory.path())] {
                let error = refused.unwrap_err();
                assert!(
                    matches!(&error, OpenError::Failed(text) if text.contains(FILE)),
                    "{error}"
                );
            }
            assert_eq!(marker(directory.path()), text);
        }
    }
}
