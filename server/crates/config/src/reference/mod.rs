//! What there is to know about each field, and the two texts made from it.

mod example;
mod page;

pub use example::example_file;
pub use page::reference_page;

use serde_json::Value;

/// When a changed field takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// When the file is read again.
    Hot,
    /// When the server starts.
    Restart,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text, a size, a duration, a path or a word.
    Text,
    /// An integer.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    List,
    /// Further fields.
    Section,
    /// Further fields for each key that the operator chooses.
    Mapping,
    /// A list of further fields.
    Sequence,
}

/// One field of the configuration, as the reference describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldReference {
    /// The keys from the top, joined by dots; `<pattern>`, `<group>` and `[]` stand for what the operator chooses.
    pub path: String,
    /// What the field does.
    pub meaning: String,
    /// When a change takes effect.
    pub reload: Reload,
    /// The default in YAML; nothing when the field is absent by default.
    pub default: Option<String>,
    /// What may be written.
    pub allowed: String,
    /// A value worth showing, in YAML.
    pub example: Option<&'static str>,
    /// Whether it is absent by default. A part inside one that is absent need not be.
    pub is_absent: bool,
    /// Whether it lies in a part that is absent by default.
    pub is_optional: bool,
    /// Whether it must be stated.
    pub is_required: bool,
    /// The first version of the server that knows it.
    pub since: &'static str,
    /// What the field holds.
    pub shape: Shape,
}

/// The version that knew every field whose declaration names no other.
pub(crate) const FIRST_VERSION: &str = "0.1.0";

impl FieldReference {
    /// The environment variable that overrides the field. Fields with chosen names in their path have none, nor has
    /// anything that holds further fields.
    pub fn variable(&self) -> Option<String> {
        let is_single = matches!(
            self.shape,
            Shape::Text | Shape::Number | Shape::Boolean | Shape::List
        );
        let has_place = self.path.contains('.') && !self.path.contains(['<', '[']);
        if !is_single || !has_place {
            return None;
        }
        let mut name = String::from("ZAS_");
        for character in self.path.chars() {
            match character {
                '.' => name.push_str("__"),
                upper if upper.is_ascii_uppercase() => name.extend(['_', upper]),
                lower => name.push(lower.to_ascii_uppercase()),
            }
        }
        Some(name)
    }

    /// The version that brought the field, in words; empty for the first one.
    fn since_note(&self) -> String {
        if self.since == FIRST_VERSION {
            String::new()
        } else {
            format!(" Since {}.", self.since)
        }
    }

    /// The last key of the path.
    fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// How deep the key is indented in a file.
    fn depth(&self) -> usize {
        self.path.matches('.').count() + self.path.matches("[]").count()
    }

    /// Whether the example file shows the field commented out.
    fn is_absent_by_default(&self) -> bool {
        let is_chosen = matches!(self.shape, Shape::Mapping | Shape::Sequence);
        self.is_optional || is_chosen || (self.default.is_none() && self.shape != Shape::Section)
    }
}

/// A value in YAML on one line.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(entries) => format!("[{}]", entries.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Whether YAML reads `text` back as the same text without quotes.
fn is_plain(text: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
    let is_word = text.bytes().all(is_safe) && !text.starts_with(['-', ':']) && !text.ends_with(':');
    is_word
        && !text.is_empty()
        && text.parse::<f64>().is_err()
        && !matches!(text, "true" | "false" | "null" | "yes" | "no")
}
