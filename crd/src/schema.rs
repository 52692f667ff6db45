//! Schemas that an attribute cannot say: maps of metadata, and types of Kubernetes without their descriptions.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::grammar::LabelValue;

/// Labels: at most 64, values as Kubernetes allows them.
pub(crate) fn labels(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": LabelValue::json_schema(generator),
    })
}

/// Annotations: at most 64, each value at most 16 KiB.
pub(crate) fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": { "type": "string", "maxLength": 16384 },
    })
}

/// A type of Kubernetes: its structure without its descriptions, which are five times as long.
pub(crate) fn embedded<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = T::json_schema(generator);
    strip(schema.ensure_object());
    schema
}

/// As [`embedded`], for a field that may be null.
pub(crate) fn embedded_option<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = embedded::<T>(generator);
    schema.insert("nullable".to_owned(), Value::Bool(true));
    schema
}

/// Container environment, with names as the server's rules need them: bounded, so that checking them is cheap.
pub(crate) fn environment(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = embedded::<Vec<k8s_openapi::api::core::v1::EnvVar>>(generator);
    if let Some(name) = schema
        .pointer_mut("/items/properties/name")
        .and_then(Value::as_object_mut)
    {
        name.insert("minLength".to_owned(), 1.into());
        name.insert("maxLength".to_owned(), 253.into());
    }
    schema
}

/// Removes descriptions that are annotations; a property called "description" stays.
fn strip(schema: &mut Map<String, Value>) {
    schema.retain(|key, value| !(key == "description" && value.is_string()));
    for (key, value) in schema.iter_mut() {
        match value {
            Value::Object(members) if key == "properties" => {
                members
                    .values_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(strip);
            }
            Value::Object(member) => strip(member),
            Value::Array(members) => members
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(strip),
            _ => {}
        }
    }
}
