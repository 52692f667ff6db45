//! The table of texts that do not follow the grammar of their field, and how a person reads the answer.

use serde::Deserialize;
use serde_json::Value;

/// A field, a spec in which `$` stands for its text, and texts that it refuses.
#[derive(Debug, Deserialize)]
pub(crate) struct Grammar {
    pub(crate) field: String,
    spec: Value,
    pub(crate) wrong: Vec<String>,
}

impl Grammar {
    /// The spec with this text.
    pub(crate) fn stating(&self, text: &str) -> Value {
        let mut spec = self.spec.clone();
        state(&mut spec, text);
        spec
    }

    /// The example in the complaints, each of which is a line that begins with its field.
    ///
    /// # Errors
    /// Why a person could not do with them.
    pub(crate) fn example<'a>(&self, complaints: &'a str) -> Result<&'a str, String> {
        let field = self.field.replace("[]", "[0]");
        let field = field.trim_end_matches("{}");
        if complaints.lines().count() != 1 || !complaints.starts_with(field) {
            return Err(format!("not one complaint about {field}"));
        }
        // A pattern speaks for itself when its group has a name.
        let is_named = complaints.contains("in body should match '^(?<");
        if !is_named && WORDS_OF_MACHINES.iter().any(|word| complaints.contains(word)) {
            return Err("words of a machine".to_owned());
        }
        example(complaints).ok_or_else(|| "no example".to_owned())
    }
}

const WORDS_OF_MACHINES: [&str; 4] = ["should match", "overload", "conversion", "evaluat"];

fn state(value: &mut Value, text: &str) {
    match value {
        Value::String(place) if place == "$" => text.clone_into(place),
        Value::Array(items) => items.iter_mut().for_each(|item| state(item, text)),
        Value::Object(members) => members.values_mut().for_each(|member| state(member, text)),
        _ => {}
    }
}

/// The example that a complaint shows, from a sentence or from the name of a group in a pattern.
fn example(complaint: &str) -> Option<&str> {
    let (_, rest) = complaint
        .split_once(" such as ")
        .or_else(|| complaint.split_once("_such_as_"))?;
    // A sign that ends the phrase is followed by a space, or by the end.
    let end = rest.find([' ', '>']).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches([',', ':', ';']))
}
