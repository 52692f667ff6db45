//! The marker of a data directory: which format its rows have and which version gave it to them.
//!
//! It stands in a file beside the database, so that a program which does not know the format finds out before it opens
//! the database: opening alone rewrites files.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::OpenError;

/// The format of rows on disk that this version reads and writes.
///
/// 1: versions up to 0.2. 2: rows say whether a repository or a bucket holds what they speak of. 3: the bytes of an upload
/// lie under names of their own for each request.
pub const DATA_FORMAT: u32 = 3;

/// The format of a database without a marker: version 0.1.0 made none.
const UNMARKED_FORMAT: u32 = 1;

/// What a directory without a marker says of its writer.
const UNMARKED_WRITER: &str = "0.1.0";

/// The file that every database of rows has.
const DATABASE_FILE: &str = "CURRENT";

const FILE: &str = "ZAS_FORMAT";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Longest marker read, in bytes.
const MAX_FILE_BYTES: u64 = 4096;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FormatFile {
    format: u32,
    written_by: String,
}

/// Refuses a directory with data of another format. Changes nothing.
pub(crate) fn check(directory: &Path) -> Result<(), OpenError> {
    let marker = read(directory).map_err(|error| failed(directory, &error))?;
    let Some(FormatFile { format, written_by }) = marker else {
        return Ok(());
    };
    let directory = directory.to_owned();
    match format.cmp(&DATA_FORMAT) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(OpenError::NewerFormat {
            directory,
            format,
            written_by,
        }),
        Ordering::Less => Err(OpenError::OlderFormat {
            directory,
            format,
            written_by,
        }),
    }
}

/// Marks a directory without a database, for ever: when this returns, the marker survives power loss. To be called
/// before the database is made, so that one without a marker is known to be of an old version.
pub(crate) fn mark(directory: &Path) -> Result<(), OpenError> {
    let marked = match read(directory) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => write(directory, DATA_FORMAT),
        Err(error) => Err(error),
    };
    marked.map_err(|error| failed(directory, &error))
}

fn failed(directory: &Path, error: &io::Error) -> OpenError {
    OpenError::Failed(format!("{}: {error}", directory.join(FILE).display()))
}

fn read(directory: &Path) -> io::Result<Option<FormatFile>> {
    let file = match File::open(directory.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return unmarked(directory),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    let damaged = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it names no data format: restore it from a backup",
        )
    };
    FormatFile::parse(&text).map(Some).ok_or_else(damaged)
}

/// What a directory is without a marker: nothing, or data of the version that made no marker.
fn unmarked(directory: &Path) -> io::Result<Option<FormatFile>> {
    match fs::metadata(directory.join(DATABASE_FILE)) {
        Ok(_) => Ok(Some(FormatFile {
            format: UNMARKED_FORMAT,
            written_by: UNMARKED_WRITER.to_owned(),
        })),
        // A file in the place of the directory is found out when it is opened.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn write(directory: &Path, format: u32) -> io::Result<()> {
    let marker = FormatFile {
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

impl FormatFile {
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
    fn given_an_empty_directory_when_marked_then_it_has_this_format_and_keeps_it() {
        let directory = tempfile::tempdir().unwrap();
        check(directory.path()).unwrap();
        mark(directory.path()).unwrap();
        assert_eq!(
            marker(directory.path()),
            format!("format: {DATA_FORMAT}\nwritten by: {VERSION}\n")
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

        let kept = format!("format: {DATA_FORMAT}\nwritten by: 0.9.7\nmore: x\n");
        fs::write(directory.path().join(FILE), kept).unwrap();
        mark(directory.path()).unwrap();
        check(directory.path()).unwrap();
        assert!(marker(directory.path()).contains("0.9.7"));
    }

    #[test]
    fn given_another_format_when_checked_then_the_writer_is_named_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        for (format, advice) in [
            (DATA_FORMAT + 1, "run version 7.8.9 or newer"),
            (DATA_FORMAT - 1, "serve it with version 7.8.9"),
        ] {
            let text = format!("format: {format}\nwritten by: 7.8.9\n");
            fs::write(directory.path().join(FILE), text).unwrap();
            let error = check(directory.path()).unwrap_err().to_string();
            let named = format!("has format {format}");
            for part in [named.as_str(), "written by version 7.8.9", advice] {
                assert!(error.contains(part), "{error}");
            }
        }
    }

    #[test]
    fn given_a_database_without_a_marker_when_checked_then_it_is_older_and_is_not_marked() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(DATABASE_FILE), "MANIFEST-000001\n").unwrap();
        assert!(matches!(
            check(directory.path()),
            Err(OpenError::OlderFormat { format: 1, .. })
        ));
        mark(directory.path()).unwrap();
        assert!(!directory.path().join(FILE).try_exists().unwrap());
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
