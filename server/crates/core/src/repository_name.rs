//! Repository names (distribution-spec, "Pulling manifests").

use std::fmt;
use std::str::FromStr;

/// Longest name in bytes. Many clients limit host and name together to 255 characters.
const MAX_BYTES: usize = 255;

/// A valid repository name: components of `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` joined by slashes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(Box<str>);

/// Why a text is no repository name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRepositoryName {
    /// The name has more than 255 bytes.
    #[error("repository name has {0} bytes, at most {MAX_BYTES} are allowed")]
    TooLong(usize),
    /// A component breaks the grammar.
    #[error(
        "repository name component {0:?} is not allowed: use lower-case letters and digits, separated inside by \
         one dot, one or two underscores, or hyphens"
    )]
    Component(String),
}

impl RepositoryName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the first component is `s3`, under which buckets appear as repositories and which
    /// therefore takes no direct pushes.
    pub fn is_reserved(&self) -> bool {
        // Looked at for every name of a listing: no search for the end of the component.
        self.0
            .strip_prefix("s3")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for RepositoryName {
    type Err = InvalidRepositoryName;

    fn from_str(text: &str) -> Result<Self, InvalidRepositoryName> {
        if text.len() > MAX_BYTES {
            return Err(InvalidRepositoryName::TooLong(text.len()));
        }
        if is_name(text) {
            return Ok(Self(text.into()));
        }
        let bad = text.split('/').find(|component| !is_name(component));
        Err(InvalidRepositoryName::Component(bad.unwrap_or(text).to_owned()))
    }
}

/// What the last character of a name was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The name or a component begins.
    Slash,
    Word,
    Dot,
    Underscore,
    Underscores,
    Hyphen,
}

fn is_name(text: &str) -> bool {
    text.bytes().try_fold(Last::Slash, follow) == Some(Last::Word)
}

/// What a character is behind the last one; `None` where it is not allowed.
fn follow(last: Last, byte: u8) -> Option<Last> {
    match (last, byte) {
        (_, b'a'..=b'z' | b'0'..=b'9') => Some(Last::Word),
        (Last::Word, b'/') => Some(Last::Slash),
        (Last::Word, b'.') => Some(Last::Dot),
        (Last::Word, b'_') => Some(Last::Underscore),
        (Last::Underscore, b'_') => Some(Last::Underscores),
        (Last::Word | Last::Hyphen, b'-') => Some(Last::Hyphen),
        _ => None,
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_of_the_grammar_when_parsed_then_accepted() {
        let longest = "a".repeat(255);
        for name in [
            "a",
            "library/alpine",
            "a.b_c__d---e/0",
            "s3/bucket",
            "1",
            &longest,
        ] {
            assert_eq!(name.parse::<RepositoryName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn given_names_outside_the_grammar_when_parsed_then_refused() {
        let too_long = "a".repeat(256);
        let names = [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a..b",
            "a___b",
            "a._b",
            "-a",
            "a-",
            ".",
            "..",
            "../etc/passwd",
            "a/../b",
            "a b",
            "a\0b",
            "ä",
            "a/.hidden",
            "_catalog",
            "a%2fb",
            "a\\b",
            &too_long,
        ];
        for name in names {
            assert!(name.parse::<RepositoryName>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn given_the_component_s3_when_first_then_reserved() {
        assert!("s3".parse::<RepositoryName>().unwrap().is_reserved());
        assert!("s3/team".parse::<RepositoryName>().unwrap().is_reserved());
        assert!(!"team/s3".parse::<RepositoryName>().unwrap().is_reserved());
        assert!(!"s3x/team".parse::<RepositoryName>().unwrap().is_reserved());
    }
}
