//! An API server in miniature: defaults, structural checks with the API server's words, then the CEL rules. Only what
//! this schema uses is understood; tests/cluster runs the same cases against the real one.

#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what stands around the tests is part of them"
)]

pub(crate) mod grammar;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use regex::Regex;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zas_crd::ZotArtifactStore;

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read_yaml<T: DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn cases<T: DeserializeOwned>(file: &str) -> Vec<T> {
    read_yaml(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/cases")
            .join(file),
    )
}

pub(crate) fn object(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": zas_crd::API_VERSION, "kind": zas_crd::KIND,
        "metadata": { "name": name, "namespace": "default" }, "spec": spec,
    })
}

/// Generating the schema takes longer than judging an object with it.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| zas_crd::definition::schema().unwrap());
static RULES: LazyLock<CompiledSchema> = LazyLock::new(|| compile_schema(&SCHEMA));

/// What the API server would say about a new object, or about a change of an old one.
pub(crate) fn verdict(object: &Value, old: Option<&Value>) -> Result<(), String> {
    let schema = &*SCHEMA;
    let object = defaulted(schema, object);
    let mut complaints = Vec::new();
    structural(schema, &object, "", &mut complaints);
    if complaints.is_empty()
        && let Err(errors) = Validator::new().validate_compiled(
            &RULES,
            &object,
            old.map(|old| defaulted(schema, old)).as_ref(),
        )
    {
        complaints.extend(errors.iter().map(ToString::to_string));
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(complaints.join("\n"))
    }
}

/// What the operator's own check of a stored object says: the rules alone, on what the types hold.
pub(crate) fn typed_verdict(new: &ZotArtifactStore, old: Option<&ZotArtifactStore>) -> Result<(), String> {
    let json = |store: &ZotArtifactStore| serde_json::to_value(store).unwrap();
    Validator::new()
        .validate_compiled(&RULES, &json(new), old.map(json).as_ref())
        .map_err(|errors| errors.to_string())
}

/// Fills in defaults, also below a default that was just filled in.
pub(crate) fn defaulted(schema: &Value, value: &Value) -> Value {
    let mut value = value.clone();
    if let (Some(members), Some(properties)) = (value.as_object_mut(), schema["properties"].as_object()) {
        for (name, property) in properties {
            if !members.contains_key(name) && !property["default"].is_null() {
                members.insert(name.clone(), property["default"].clone());
            }
            if let Some(member) = members.get_mut(name) {
                *member = defaulted(property, member);
            }
        }
    }
    if let Some(items) = value.as_array_mut() {
        for item in items {
            *item = defaulted(&schema["items"], item);
        }
    }
    value
}

fn structural(schema: &Value, value: &Value, path: &str, complaints: &mut Vec<String>) {
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    if let Some(complaint) = type_complaint(schema, value, path) {
        complaints.push(complaint);
        return;
    }
    match value {
        Value::Object(_) => check_object(schema, value, path, complaints),
        Value::Array(items) => check_list(schema, items, path, complaints),
        Value::String(text) => check_text(schema, text, path, complaints),
        Value::Number(number) => check_number(schema, number.as_f64().unwrap(), path, complaints),
        _ => {}
    }
}

fn type_complaint(schema: &Value, value: &Value, path: &str) -> Option<String> {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = match schema["type"].as_str() {
        Some(expected) => expected == found,
        None if schema["x-kubernetes-int-or-string"] == true => ["integer", "string"].contains(&found),
        None => true,
    };
    let expected = &schema["type"];
    (!fits).then(|| format!("{path}: Invalid value: \"{found}\": {path} in body must be of type {expected}"))
}

fn check_object(schema: &Value, value: &Value, path: &str, complaints: &mut Vec<String>) {
    let members = value.as_object().unwrap();
    for (name, member) in members {
        // The API server adds these to every kind by itself.
        if path.is_empty() && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
            continue;
        }
        let below = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(property), _) => structural(property, member, &below, complaints),
            (None, additional @ Value::Object(_)) => structural(additional, member, &below, complaints),
            _ => complaints.push(format!("strict decoding error: unknown field \"{below}\"")),
        }
    }
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !members.contains_key(name) {
            complaints.push(format!("{path}.{name}: Required value"));
        }
    }
    if schema["maxProperties"]
        .as_u64()
        .is_some_and(|most| members.len() as u64 > most)
    {
        complaints.push(format!("{path}: Too many"));
    }
}

fn check_list(schema: &Value, items: &[Value], path: &str, complaints: &mut Vec<String>) {
    let count = items.len() as u64;
    if let Some(most) = schema["maxItems"].as_u64().filter(|most| count > *most) {
        complaints.push(format!(
            "{path}: Too many: {count}: must have at most {most} items"
        ));
    }
    if let Some(least) = schema["minItems"].as_u64().filter(|least| count < *least) {
        complaints.push(format!(
            "{path}: Invalid value: {count}: {path} in body should have at least {least} items"
        ));
    }
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let below = format!("{path}[{index}]");
        structural(&schema["items"], item, &below, complaints);
        let identity = match schema["x-kubernetes-list-type"].as_str() {
            Some("set") => item.to_string(),
            Some("map") => schema["x-kubernetes-list-map-keys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|key| item[key.as_str().unwrap()].to_string())
                .collect(),
            _ => continue,
        };
        if !seen.insert(identity) {
            complaints.push(format!("{below}: Duplicate value: {item}"));
        }
    }
}

fn check_text(schema: &Value, text: &str, path: &str, complaints: &mut Vec<String>) {
    if let Some(values) = schema["enum"].as_array()
        && !values.iter().any(|value| value == text)
    {
        complaints.push(format!(
            "{path}: Unsupported value: \"{text}\": supported values: {values:?}"
        ));
    }
    let length = text.chars().count() as u64;
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
        complaints.push(format!("{path}: Too long: may not be more than {most} bytes"));
    }
    if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
        complaints.push(format!(
            "{path}: Invalid value: {path} in body should be at least {least} chars long"
        ));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && !Regex::new(pattern).unwrap().is_match(text)
    {
        complaints.push(format!(
            "{path}: Invalid value: \"{text}\": {path} in body should match '{pattern}'"
        ));
    }
}

fn check_number(schema: &Value, number: f64, path: &str, complaints: &mut Vec<String>) {
    if let Some(most) = schema["maximum"].as_f64().filter(|most| number > *most) {
        complaints.push(format!(
            "{path}: Invalid value: {number}: {path} in body should be less than or equal to {most}"
        ));
    }
    if let Some(least) = schema["minimum"].as_f64().filter(|least| number < *least) {
        complaints.push(format!(
            "{path}: Invalid value: {number}: {path} in body should be greater than or equal to {least}"
        ));
    }
}
