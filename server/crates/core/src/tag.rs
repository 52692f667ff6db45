//! Tags (distribution-spec, "Pulling manifests").

use std::fmt;
use std::str::FromStr;

/// A valid tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

/// A text that is no tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "tag {0:?} is not allowed: use at most 128 letters, digits, underscores, dots and hyphens, not starting with \
     a dot or a hyphen"
)]
pub struct InvalidTag(String);

impl Tag {
    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let starts_well = text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if starts_well && text.len() <= 128 && text.bytes().all(is_allowed) {
            return Ok(Self(text.into()));
        }
        Err(InvalidTag(text.chars().take(160).collect()))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_texts_when_parsed_then_exactly_the_grammar_is_accepted() {
        let longest = "a".repeat(128);
        for tag in ["latest", "_x", "1.0.0-rc.1", "A", &longest] {
            assert_eq!(tag.parse::<Tag>().unwrap().as_str(), tag);
        }
        let too_long = "a".repeat(129);
        for tag in ["", ".a", "-a", "a/b", "a:b", "a+b", "ä", "a b", "..", &too_long] {
            assert!(tag.parse::<Tag>().is_err(), "{tag:?}");
        }
    }
}
