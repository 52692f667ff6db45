//! Reading a configuration file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{FieldPath, Position};
use crate::layers::{self, Layer};
use crate::{Configuration, ConfigurationError, environment, fields};

/// Longest file in bytes: far more than thousands of access rules.
const MAX_FILE_BYTES: u64 = 4 << 20;

impl Configuration {
    /// Reads one file as [`Configuration::load_files`] reads several.
    ///
    /// # Errors
    /// As there.
    pub fn load(
        path: &Path,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigurationError> {
        Self::load_files(&[path], environment)
    }

    /// Reads YAML or JSON files, then the overrides among the variables of `environment`
    /// (`std::env::vars_os()` in a server).
    ///
    /// Every file must be valid by itself, and a later one overrides exactly the fields that it states: sections are
    /// merged, lists and mappings with keys of the operator's choice are replaced as a whole. A section without any
    /// lines states nothing.
    ///
    /// An override is named `ZAS_` and the path in upper snake case joined by `__`, such as
    /// `ZAS_STORAGE__BLOBS__RESERVE`. Variables without `__` mean nothing here.
    ///
    /// # Errors
    /// [`ConfigurationError`] names the file with line and column, or the variable, the field, and what is allowed.
    pub fn load_files<P: AsRef<Path>>(
        files: &[P],
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigurationError> {
        let layers: Vec<Layer> = files
            .iter()
            .map(|file| read_layer(file.as_ref()))
            .collect::<Result<_, _>>()?;
        environment::apply(&layers::merge(&layers)?, environment)
    }

    /// Reads the text of a YAML or JSON file. `file` is only named in errors.
    ///
    /// # Errors
    /// [`ConfigurationError::Invalid`] names the position, the field, and what is allowed.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigurationError> {
        let mut path = FieldPath::default();
        let options = serde_saphyr::options! { with_snippet: false };
        let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
            serde_path_to_error::deserialize(deserializer).map_err(|error| {
                path = FieldPath(field_path(error.path()));
                error.into_inner()
            })
        });
        read.map_err(|error| {
            let known = error.location().filter(|location| location.line() > 0);
            let position = Position(known.map(|location| (location.line(), location.column())));
            let message = message(&error, &path);
            ConfigurationError::Invalid {
                file: file.to_owned(),
                position,
                field: path,
                message,
            }
        })
    }
}

fn read_layer(file: &Path) -> Result<Layer, ConfigurationError> {
    let text = read_bounded(file).map_err(|source| ConfigurationError::Unreadable {
        file: file.to_owned(),
        source,
    })?;
    Layer::parse(file, text)
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)?;
    if length as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {MAX_FILE_BYTES} bytes"),
        ));
    }
    Ok(text)
}

/// The path as the reference writes it; empty for the whole configuration.
pub(crate) fn field_path(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    // A key that is no field is written as "?": the message names it.
    let text = text.strip_suffix('?').unwrap_or(&text);
    text.trim_end_matches('.').to_owned()
}

/// What is wrong and what is allowed, without the position, which is reported beside it.
fn message(error: &serde_saphyr::Error, path: &FieldPath) -> String {
    use serde_saphyr::Error;
    match error.without_snippet() {
        // Written by the types of this crate, which say what is allowed.
        Error::Message { msg, .. } => msg.clone(),
        Error::Eof { .. } if path.as_str().is_empty() => {
            "the file is empty: at least configVersion must be stated".to_owned()
        }
        other => {
            let text = other.render_with_formatter(&serde_saphyr::UserMessageFormatter);
            let text = text.split(" at line ").next().unwrap_or_default();
            match fields().into_iter().find(|field| field.path == path.as_str()) {
                Some(field) if !text.contains(&field.allowed) => {
                    format!("{text}, allowed: {}", field.allowed)
                }
                _ => text.to_owned(),
            }
        }
    }
}
