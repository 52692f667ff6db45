//! Writing a configuration as YAML.
//!
//! The operator names objects by a hash of this text, so it depends on nothing but the configuration: neither on a
//! library's taste nor on the order in which somebody wrote a mapping.

use std::fmt::Write;

use serde_json::Value;

use crate::stated::{Stated, StatedField};

/// A document that states these fields, in their order.
pub(crate) fn document(fields: &[StatedField]) -> String {
    let mut text = String::new();
    add_fields(&mut text, fields, 0);
    text
}

fn add_fields(text: &mut String, fields: &[StatedField], depth: usize) {
    for field in fields {
        add_entry(text, field.key, &field.content, depth);
    }
}

fn add_entry(text: &mut String, key: &str, content: &Stated, depth: usize) {
    let _ = write!(text, "{:1$}{key}:", "", depth * 2);
    match content {
        Stated::Value(value) => {
            let _ = writeln!(text, " {}", flow(value));
        }
        Stated::Section(fields) | Stated::Present(fields) if fields.is_empty() => text.push_str(" {}\n"),
        Stated::Section(fields) | Stated::Present(fields) => {
            text.push('\n');
            add_fields(text, fields, depth + 1);
        }
        Stated::Entries(entries) if entries.is_empty() => text.push_str(" {}\n"),
        Stated::Entries(entries) => {
            text.push('\n');
            for (key, content) in entries {
                add_entry(text, &quoted(key), content, depth + 1);
            }
        }
        Stated::List(entries) => {
            let entries: Vec<String> = entries.iter().map(flow_content).collect();
            let _ = writeln!(text, " [{}]", entries.join(", "));
        }
    }
}

/// What is inside a list stands on one line.
fn flow_content(content: &Stated) -> String {
    let mapping = |entries: Vec<String>| format!("{{{}}}", entries.join(", "));
    match content {
        Stated::Value(value) => flow(value),
        Stated::List(entries) => format!(
            "[{}]",
            entries.iter().map(flow_content).collect::<Vec<_>>().join(", ")
        ),
        Stated::Entries(entries) => mapping(
            entries
                .iter()
                .map(|(key, content)| format!("{}: {}", quoted(key), flow_content(content)))
                .collect(),
        ),
        Stated::Section(fields) | Stated::Present(fields) => mapping(
            fields
                .iter()
                .map(|field| format!("{}: {}", field.key, flow_content(&field.content)))
                .collect(),
        ),
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(entries) => format!("[{}]", entries.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A text in double quotes: no reader takes it for anything else.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            // Some characters beyond ASCII are not allowed in YAML or end a line there.
            other if u32::from(other) <= 0xffff => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(other));
            }
            other => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(other));
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_any_character_when_quoted_then_yaml_reads_it_back() {
        let all = (0..=0x2_ffff_u32)
            .filter_map(char::from_u32)
            .filter(|character| *character != '\0');
        for chunk in all.collect::<Vec<_>>().chunks(1000) {
            let text: String = chunk.iter().collect();
            let read: String = serde_saphyr::from_str(&quoted(&text)).unwrap();
            assert!(read == text, "{text:?} became {read:?}");
        }
    }
}
