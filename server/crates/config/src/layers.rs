//! Several configuration files: a later one overrides the fields that it states.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::{FieldPath, Position};
use crate::reference::Shape;
use crate::section::join;
use crate::{Configuration, ConfigurationError, fields, load};

/// A file that is a valid configuration by itself.
pub(crate) struct Layer {
    pub(crate) file: PathBuf,
    pub(crate) configuration: Configuration,
    text: String,
}

impl Layer {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with it and where.
    pub(crate) fn parse(file: &Path, text: String) -> Result<Self, ConfigurationError> {
        Ok(Self {
            file: file.to_owned(),
            configuration: Configuration::parse(file, &text)?,
            text,
        })
    }

    /// The file as it was written, for the keys that it states.
    fn written(&self) -> Result<Value, ConfigurationError> {
        serde_saphyr::from_str(&self.text).map_err(|error| ConfigurationError::Invalid {
            file: self.file.clone(),
            position: Position::default(),
            field: FieldPath::default(),
            message: error.without_snippet().to_string(),
        })
    }
}

/// The configuration of all layers: of each field the value of the last that states it, or the default.
///
/// # Errors
/// What does not fit together although each layer is valid by itself.
pub(crate) fn merge(layers: &[Layer]) -> Result<Configuration, ConfigurationError> {
    let [first, overlays @ ..] = layers else {
        return Ok(Configuration::default());
    };
    if overlays.is_empty() {
        return Ok(first.configuration.clone());
    }
    let conflict = |field: FieldPath, message: String| ConfigurationError::Conflict {
        files: layers.iter().map(|layer| layer.file.clone()).collect(),
        field,
        message,
    };
    let tree = |layer: &Layer| {
        serde_json::to_value(&layer.configuration)
            .map_err(|error| conflict(FieldPath::default(), error.to_string()))
    };
    let sections = sections();
    let mut merged = tree(first)?;
    for overlay in overlays {
        override_stated(&mut merged, &tree(overlay)?, &overlay.written()?, "", &sections);
    }
    serde_path_to_error::deserialize(merged).map_err(|error| {
        let field = FieldPath(load::field_path(error.path()));
        conflict(field, error.inner().to_string())
    })
}

/// The paths of what is merged field by field. Everything else is replaced as a whole.
fn sections() -> HashSet<String> {
    fields()
        .into_iter()
        .filter(|field| field.shape == Shape::Section)
        .map(|field| field.path)
        .collect()
}

/// Puts what `written` states, with the values that were read from it, into `merged`.
fn override_stated(
    merged: &mut Value,
    read: &Value,
    written: &Value,
    path: &str,
    sections: &HashSet<String>,
) {
    // A section without any lines states nothing: a whole list of users must not go with a few comment marks.
    let (Value::Object(written), Value::Object(read)) = (written, read) else {
        return;
    };
    if !merged.is_object() {
        *merged = Value::Object(Map::new());
    }
    let Value::Object(merged) = merged else { return };
    for (key, stated) in written {
        let Some(value) = read.get(key) else { continue };
        let path = join(path, key);
        let place = merged.entry(key.as_str()).or_insert(Value::Null);
        if sections.contains(&path) {
            override_stated(place, value, stated, &path, sections);
        } else {
            place.clone_from(value);
        }
    }
}
