//! Why a configuration cannot be used.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a configuration cannot be used. The text names the place and what to change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("configuration file {} cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file's content is not allowed.
    #[error("{}{position}: {field}{message}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Where in the file.
        position: Position,
        /// The field, when the text can be read so far.
        field: FieldPath,
        /// What is wrong and what is allowed.
        message: String,
    },
    /// Files that are valid by themselves are not together.
    #[error("{} do not fit together: {field}{message}", listed(files))]
    Conflict {
        /// All files, in the order in which they were read.
        files: Vec<PathBuf>,
        /// The field.
        field: FieldPath,
        /// What is wrong and what is allowed.
        message: String,
    },
    /// An environment variable's name or value is not allowed.
    #[error("environment variable {variable}: {message}")]
    Variable {
        /// The variable, or the variables that do not fit together.
        variable: String,
        /// What is wrong and what is allowed.
        message: String,
    },
}

fn listed(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    names.join(" and ")
}

/// A place in a file: line and column, both from 1, when they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Position(pub(crate) Option<(u64, u64)>);

impl Position {
    /// The line, from 1.
    pub fn line(self) -> Option<u64> {
        self.0.map(|(line, _)| line)
    }

    /// The column in characters, from 1.
    pub fn column(self) -> Option<u64> {
        self.0.map(|(_, column)| column)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(formatter, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// The path of a field, such as `limits.manifestSize`; empty for the whole file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FieldPath(pub(crate) String);

impl FieldPath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(formatter, "{}: ", self.0)
        }
    }
}
