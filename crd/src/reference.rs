//! The reference of all fields as Markdown, read from the schema: what is documented is what is accepted.

use std::fmt::Write;

use serde_json::Value;

use crate::definition::{self, DefinitionError};

/// Line before the generated part of a document.
pub const START_MARKER: &str = "<!-- fields -->";
/// Line after the generated part of a document.
pub const END_MARKER: &str = "<!-- /fields -->";

const INTRODUCTION: &str = "\
# The resource ZotArtifactStore

`apiVersion: zot.candlekeep.io/v1alpha1`, `kind: ZotArtifactStore`, short name `zas`. This page is generated from the
schema of the definition by `crdgen --write`; `kubectl explain zas.spec` prints the same texts.

- **Everything is optional** unless it is marked required: `spec: {}` is a complete store. `config/samples` has a
  minimal and a full example.
- **Defaults**: a *stored* default is written into the object by the API server and stays what it was. All others are
  resolved by the operator and never written back, so that an upgrade can improve them.
- **Sizes** are whole numbers with a unit of 1000 (`k M G T P`) or of 1024 (`Ki Mi Gi Ti Pi`). **Durations** are numbers
  with the units `ms s m h`, such as `1h30m`.
- **References** name objects in the namespace of the store. Secrets are only ever referred to.
- Apply it with `kubectl apply --server-side` or `oc apply --server-side`: an unknown field is then an error.
- `metadata.name` has at most 40 characters: lower-case letters, digits and hyphens, starting with a letter.
";

/// The page `docs/RESOURCE.md`.
///
/// # Errors
/// When there is no schema, see [`definition::definition`].
pub fn page() -> Result<String, DefinitionError> {
    let rules = rules(&definition::schema()?);
    Ok(format!("{INTRODUCTION}\n{}\n{rules}", fields()?))
}

/// Tables of all fields between [`START_MARKER`] and [`END_MARKER`], for any document.
///
/// # Errors
/// As [`page`].
pub fn fields() -> Result<String, DefinitionError> {
    let schema = definition::schema()?;
    let mut text = format!("{START_MARKER}\n\n## Fields of `spec`\n\n");
    let spec = schema.pointer("/properties/spec").unwrap_or(&Value::Null);
    table(&mut text, &rows_of_leaves(spec, "spec"));
    for (name, group) in groups(spec) {
        let path = format!("spec.{name}");
        let _ = write!(text, "\n### `{path}`\n\n{}\n\n", description(group));
        let mut rows = Vec::new();
        collect(group, &path, &mut rows);
        table(&mut text, &rows);
    }
    text.push_str("\n## Fields of `status`\n\n");
    let mut rows = Vec::new();
    collect(
        schema.pointer("/properties/status").unwrap_or(&Value::Null),
        "status",
        &mut rows,
    );
    table(&mut text, &rows);
    let _ = writeln!(text, "\n{END_MARKER}");
    Ok(text)
}

struct Row {
    path: String,
    kind: String,
    default: String,
    allowed: String,
    meaning: String,
}

fn table(text: &mut String, rows: &[Row]) {
    text.push_str("| Field | Type | Default | Allowed | Meaning |\n|---|---|---|---|---|\n");
    for row in rows {
        let cells =
            [&row.kind, &row.default, &row.allowed, &row.meaning].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(text, "| `{}` | {} |", row.path, cells.join(" | "));
    }
}

/// Properties that are tables of their own.
fn groups(spec: &Value) -> impl Iterator<Item = (&String, &Value)> {
    properties(spec).filter(|(_, schema)| is_group(schema))
}

fn rows_of_leaves(spec: &Value, path: &str) -> Vec<Row> {
    properties(spec)
        .filter(|(_, schema)| !is_group(schema))
        .map(|(name, schema)| row(schema, format!("{path}.{name}"), required(spec, name)))
        .collect()
}

fn collect(parent: &Value, path: &str, rows: &mut Vec<Row>) {
    for (name, schema) in properties(parent) {
        let path = format!("{path}.{name}");
        rows.push(row(schema, path.clone(), required(parent, name)));
        if is_group(schema) {
            collect(schema, &path, rows);
        }
        if let Some(items) = schema.get("items").filter(|items| is_group(items)) {
            collect(items, &format!("{path}[]"), rows);
        }
    }
}

fn row(schema: &Value, path: String, required: bool) -> Row {
    let text = description(schema);
    let stated = stated_default(text);
    Row {
        path,
        kind: kind(schema),
        default: default(schema, required, stated),
        allowed: allowed(schema),
        meaning: stated.map_or(text.to_owned(), |stated| without(text, stated)),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// Whether the members are documented here. Types of Kubernetes have no descriptions: their reference is elsewhere.
fn is_group(schema: &Value) -> bool {
    properties(schema).any(|(_, member)| !description(member).is_empty())
}

fn description(schema: &Value) -> &str {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn required(parent: &Value, name: &str) -> bool {
    let names = parent.get("required").and_then(Value::as_array);
    names.is_some_and(|names| names.iter().any(|required| required == name))
}

fn kind(schema: &Value) -> String {
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => format!("list of {}", schema.get("items").map(plural).unwrap_or_default()),
        Some("object") if schema.get("additionalProperties").is_some() => "map of strings".to_owned(),
        Some("object") if !is_group(schema) => "as in Kubernetes".to_owned(),
        Some(kind) => kind.to_owned(),
        None => "string or integer".to_owned(),
    }
}

fn plural(items: &Value) -> String {
    match items.get("type").and_then(Value::as_str) {
        Some("object") if !is_group(items) => "objects as in Kubernetes".to_owned(),
        Some(kind) => format!("{kind}s"),
        None => "values".to_owned(),
    }
}

/// The sentence after "Default: ", with its full stop.
fn stated_default(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("Default: ")?;
    let end = rest.find(". ").map_or(rest.len(), |end| end + 1);
    rest.get(..end)
}

fn without(text: &str, stated: &str) -> String {
    let sentence = format!("Default: {stated}");
    text.replacen(&sentence, "", 1)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn default(schema: &Value, required: bool, stated: Option<&str>) -> String {
    match (schema.get("default"), stated) {
        (Some(Value::Object(_)), _) => "that of its members".to_owned(),
        (Some(Value::String(value)), _) => format!("`{value}` (stored)"),
        (Some(value), _) => format!("`{value}` (stored)"),
        (None, Some(stated)) => stated.trim_end_matches('.').to_owned(),
        (None, None) if required => "required".to_owned(),
        (None, None) => "none".to_owned(),
    }
}

fn allowed(schema: &Value) -> String {
    let mut parts = bounds(schema);
    if let Some(items) = schema.get("items") {
        parts.extend(bounds(items));
    }
    parts.join(", ")
}

fn bounds(schema: &Value) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<_> = values
            .iter()
            .filter_map(Value::as_str)
            .map(|value| format!("`{value}`"))
            .collect();
        parts.push(values.join(", "));
    }
    match (number(schema, "minimum"), number(schema, "maximum")) {
        (Some(least), Some(most)) => parts.push(format!("{least} to {most}")),
        (Some(least), None) => parts.push(format!("{least} or more")),
        _ => {}
    }
    for (key, noun) in [
        ("maxLength", "characters"),
        ("maxItems", "entries"),
        ("maxProperties", "entries"),
    ] {
        if let Some(most) = number(schema, key) {
            parts.push(format!("at most {most} {noun}"));
        }
    }
    if is_leaf(schema) {
        parts.extend(messages(schema).map(|message| sentence(&message)));
        parts.extend(meaning_of_pattern(schema));
    }
    parts
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "bounds are whole numbers far below 2^53"
)]
fn number(schema: &Value, key: &str) -> Option<i64> {
    schema.get(key).and_then(|value| {
        value
            .as_i64()
            .or_else(|| value.as_f64().map(|number| number as i64))
    })
}

/// Texts and numbers, whose rules are told with what they allow.
fn is_leaf(schema: &Value) -> bool {
    matches!(
        schema.get("type").and_then(Value::as_str),
        Some("string" | "integer")
    )
}

/// What users read who break the rules of this schema itself.
fn messages(schema: &Value) -> impl Iterator<Item = String> {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    rules.into_iter().flatten().filter_map(|rule| {
        let text = |key| rule.get(key).and_then(Value::as_str);
        text("message").map(str::to_owned).or_else(|| {
            // A computed message is texts in quotes, with values in between.
            let parts = text("messageExpression")?.split('\'').enumerate();
            let readable = parts.map(|(at, part)| match at % 2 {
                1 => part,
                _ if part.is_empty() => "",
                _ => "…",
            });
            Some(readable.collect())
        })
    })
}

/// What a pattern says in the name of its group.
fn meaning_of_pattern(schema: &Value) -> Option<String> {
    let (_, rest) = schema.get("pattern")?.as_str()?.split_once("(?<")?;
    let (name, _) = rest.split_once('>')?;
    Some(name.replace('_', " "))
}

/// What to write, without the invitation.
fn sentence(message: &str) -> String {
    message.strip_prefix("write ").unwrap_or(message).to_owned()
}

/// What is refused beyond types and ranges, with the messages that users see.
fn rules(schema: &Value) -> String {
    let mut found = Vec::new();
    collect_rules(schema, "", &mut found);
    let mut text = "## Rules\n\nWhat the API server refuses beyond single values, and what it says then.\n\n\
                    | Where | Message |\n|---|---|\n"
        .to_owned();
    for (path, message) in found {
        let _ = writeln!(text, "| `{path}` | {} |", message.replace('|', "\\|"));
    }
    text
}

fn collect_rules(schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    if !is_leaf(schema) {
        let place = if path.is_empty() { "metadata" } else { path };
        found.extend(messages(schema).map(|message| (place.to_owned(), message)));
    }
    for (name, member) in properties(schema) {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect_rules(member, &path, found);
        if let Some(items) = member.get("items") {
            collect_rules(items, &format!("{path}[]"), found);
        }
    }
}
