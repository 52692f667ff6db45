//! Overrides from the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::Value;

use crate::reference::{FieldReference, Shape};
use crate::{Configuration, ConfigurationError, fields, load, suggestion};

/// What every variable of this server begins with.
const PREFIX: &str = "ZAS_";

/// The configuration with the overrides among `variables` applied.
pub(crate) fn apply(
    configuration: &Configuration,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Configuration, ConfigurationError> {
    let overrides = overrides(variables)?;
    if overrides.is_empty() {
        return Ok(configuration.clone());
    }
    let mut tree = serde_json::to_value(configuration).map_err(|error| invalid(PREFIX, error.to_string()))?;
    for (path, (_, value)) in &overrides {
        place(&mut tree, path, value.clone());
    }
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path = load::field_path(error.path());
        invalid(
            &concerned(&overrides, &path),
            format!("{path}: {}", error.inner()),
        )
    })
}

/// Overrides by field path, each with the name of its variable.
type Overrides = BTreeMap<String, (String, Value)>;

fn overrides(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Overrides, ConfigurationError> {
    let fields: BTreeMap<String, FieldReference> = fields()
        .into_iter()
        .filter_map(|field| Some((field.variable()?, field)))
        .collect();
    let mut overrides = Overrides::new();
    for (name, value) in variables {
        // A name that is no UTF-8 is none of ours.
        let Some(name) = name
            .to_str()
            .filter(|name| name.starts_with(PREFIX) && name.contains("__"))
        else {
            continue;
        };
        let Some(field) = fields.get(name) else {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            let message = suggestion::unknown_among_many("variable", name, &names);
            return Err(invalid(
                name,
                format!("{message} (it would override a field; see the configuration reference)"),
            ));
        };
        let text = value
            .to_str()
            .ok_or_else(|| invalid(name, "the value is not UTF-8".to_owned()))?;
        let value = parse(field, text).map_err(|message| invalid(name, message))?;
        overrides.insert(field.path.clone(), (name.to_owned(), value));
    }
    Ok(overrides)
}

fn parse(field: &FieldReference, text: &str) -> Result<Value, String> {
    let unexpected = || {
        format!(
            "{}: {text:?} is not allowed, expected {}",
            field.path, field.allowed
        )
    };
    match field.shape {
        Shape::Text if text.is_empty() && field.default.is_none() => Ok(Value::Null),
        Shape::Text => Ok(Value::String(text.to_owned())),
        Shape::Number => text.parse::<u64>().map(Value::from).map_err(|_| unexpected()),
        Shape::Boolean => text.parse::<bool>().map(Value::from).map_err(|_| unexpected()),
        Shape::List => {
            let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            Ok(entries.map(|entry| Value::String(entry.to_owned())).collect())
        }
        Shape::Section | Shape::Mapping | Shape::Sequence => Err(unexpected()),
    }
}

/// Puts `value` at `path`, making the sections on the way.
fn place(tree: &mut Value, path: &str, value: Value) {
    let mut at = tree;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(serde_json::Map::new());
        }
        let Value::Object(section) = at else { return };
        at = section.entry(key).or_insert(Value::Null);
    }
    *at = value;
}

/// The variables that set the field at `path`, or fields inside it, or all when none did.
fn concerned(overrides: &Overrides, path: &str) -> String {
    let is_at = |set: &str| set == path || path.is_empty() || set.starts_with(&format!("{path}."));
    let names: Vec<&str> = overrides
        .iter()
        .filter(|(set, _)| is_at(set))
        .map(|(_, (name, _))| name.as_str())
        .collect();
    names.join(", ")
}

fn invalid(variable: &str, message: String) -> ConfigurationError {
    ConfigurationError::Variable {
        variable: variable.to_owned(),
        message,
    }
}
