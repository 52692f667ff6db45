//! Whether one schema refuses what another accepted.

use serde_json::Value;

/// How `new` is narrower than `old`, each with its path.
pub(crate) fn narrowings(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(old, new, "", &mut found);
    found
}

fn compare(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    for key in [
        "type",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-map-type",
    ] {
        if old[key] != new[key] {
            found.push(format!("{path}: {key} changed from {} to {}", old[key], new[key]));
        }
    }
    if old["default"] != new["default"] && old["properties"].is_null() {
        found.push(format!(
            "{path}: its stored default changed from {} to {}",
            old["default"], new["default"]
        ));
    }
    if old["nullable"] == true && new["nullable"] != true {
        found.push(format!("{path}: null is refused"));
    }
    compare_values(old, new, path, found);
    compare_bounds(old, new, path, found);
    compare_members(old, new, path, found);
    for key in ["items", "additionalProperties"] {
        if old[key].is_object() {
            compare(&old[key], &new[key], &format!("{path}[]"), found);
        }
    }
}

fn compare_values(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    match (old["enum"].as_array(), new["enum"].as_array()) {
        (None, Some(_)) => found.push(format!("{path}: only some values are left")),
        (Some(old), Some(new)) => {
            let lost: Vec<_> = old.iter().filter(|value| !new.contains(value)).collect();
            if !lost.is_empty() {
                found.push(format!("{path}: the values {lost:?} are gone"));
            }
        }
        _ => {}
    }
    let (old, new) = (grammar(old), grammar(new));
    if !new.is_empty() && old != new {
        found.push(format!("{path}: the grammar changed from {old} to {new}"));
    }
}

/// What a text must match: a pattern, or a rule on the text itself. One that says the same in both ways is the same.
fn grammar(schema: &Value) -> String {
    if let Some(pattern) = schema["pattern"].as_str() {
        return unnamed(pattern);
    }
    let rule = schema
        .pointer("/x-kubernetes-validations/0/rule")
        .and_then(serde_json::Value::as_str);
    match rule {
        Some(rule) if schema["type"] == "string" => match rule
            .strip_prefix("self.matches('")
            .and_then(|rest| rest.split_once("')"))
        {
            Some((pattern, _)) => pattern.replace("\\\\", "\\"),
            None => rule.to_owned(),
        },
        _ => String::new(),
    }
}

/// A pattern without the name of the group that encloses it.
fn unnamed(pattern: &str) -> String {
    let named = pattern
        .strip_prefix("^(?<")
        .and_then(|rest| rest.strip_suffix(")$"))
        .and_then(|rest| rest.split_once('>'));
    named.map_or_else(|| pattern.to_owned(), |(_, inner)| format!("^{inner}$"))
}

fn compare_bounds(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    for key in ["maximum", "maxLength", "maxItems", "maxProperties"] {
        let (old, new) = (bound(old, key, f64::INFINITY), bound(new, key, f64::INFINITY));
        if new < old {
            found.push(format!("{path}: {key} fell from {old} to {new}"));
        }
    }
    for key in ["minimum", "minLength", "minItems"] {
        let (old, new) = (
            bound(old, key, f64::NEG_INFINITY),
            bound(new, key, f64::NEG_INFINITY),
        );
        if new > old {
            found.push(format!("{path}: {key} rose from {old} to {new}"));
        }
    }
}

fn bound(schema: &Value, key: &str, without: f64) -> f64 {
    schema[key].as_f64().unwrap_or(without)
}

fn compare_members(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    for (name, property) in old["properties"].as_object().into_iter().flatten() {
        let below = format!("{path}.{name}");
        match new["properties"].get(name) {
            None | Some(Value::Null) => found.push(format!("{below}: the field is gone")),
            Some(newer) => compare(property, newer, &below, found),
        }
    }
    let names = |schema: &Value| schema["required"].as_array().cloned().unwrap_or_default();
    let required_before = names(old);
    for name in names(new).iter().filter(|name| !required_before.contains(name)) {
        found.push(format!("{path}: {name} is required now"));
    }
}
