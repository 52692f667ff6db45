//! Who vouches for users elsewhere, and how their names are told from local ones.

use std::fmt;
use std::str::FromStr;

use super::text::{serde_as_text, shorten};

/// The longest URL taken, in bytes.
const MAX_URL_BYTES: usize = 512;

/// The URL of a token issuer, as the claim `iss` repeats it letter by letter: `http` or `https`, a host, an optional port
/// and an optional path.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct IssuerUrl(Box<str>);

/// A text that is no URL of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the URL of an issuer: write https:// (or http:// for tests), a host and the path, as the claim iss has it, \
     without user, query and fragment"
)]
pub struct InvalidIssuerUrl(String);

impl IssuerUrl {
    /// The URL, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is fetched from there comes over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for IssuerUrl {
    type Err = InvalidIssuerUrl;

    fn from_str(text: &str) -> Result<Self, InvalidIssuerUrl> {
        let invalid = || InvalidIssuerUrl(shorten(text));
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or_else(invalid)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#@\\\"<>{}|^`%".contains(&byte);
        let is_url = text.len() <= MAX_URL_BYTES
            && !authority.is_empty()
            && !authority.starts_with(':')
            && rest.bytes().all(is_plain)
            && !rest.split('/').any(|segment| matches!(segment, "." | ".."));
        is_url.then(|| Self(text.into())).ok_or_else(invalid)
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

serde_as_text!(IssuerUrl);

/// What stands in front of every name that an issuer gives: nothing, or a word and a colon, which no local user has.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct NamePrefix(Box<str>);

/// A text that is no prefix of names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a prefix of names: write a word of at most 32 letters, digits and hyphens, and a colon, such as kc:"
)]
pub struct InvalidNamePrefix(String);

impl NamePrefix {
    /// The prefix with its colon.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// That of users of Keycloak where none is configured.
    pub fn keycloak() -> Self {
        Self("kc:".into())
    }

    /// Whether names are as the issuer gives them.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for NamePrefix {
    type Err = InvalidNamePrefix;

    fn from_str(text: &str) -> Result<Self, InvalidNamePrefix> {
        let is_word = |word: &str| {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=32).contains(&word.len()) && word.bytes().all(is_allowed)
        };
        let is_prefix = text.is_empty() || text.strip_suffix(':').is_some_and(is_word);
        is_prefix
            .then(|| Self(text.into()))
            .ok_or_else(|| InvalidNamePrefix(shorten(text)))
    }
}

impl fmt::Display for NamePrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

serde_as_text!(NamePrefix);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_urls_of_issuers_when_parsed_then_kept_letter_by_letter() {
        for text in [
            "https://id.example.org/realms/dev",
            "https://id.example.org/",
            "http://127.0.0.1:8180/realms/zas",
            "https://kubernetes.default.svc.cluster.local",
        ] {
            assert_eq!(text.parse::<IssuerUrl>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn given_what_is_no_url_of_an_issuer_when_parsed_then_refused() {
        for text in [
            "",
            "id.example.org",
            "ftp://id.example.org",
            "https://",
            "https:///realms/dev",
            "https://user:word@id.example.org/",
            "https://id.example.org/?realm=dev",
            "https://id.example.org/#dev",
            "https://id.example.org/a b",
            "https://id.example.org/../x",
        ] {
            let error = text.parse::<IssuerUrl>().unwrap_err().to_string();
            assert!(error.contains("is not the URL of an issuer"), "{text}");
        }
    }

    #[test]
    fn given_prefixes_when_parsed_then_they_end_in_a_colon_or_are_empty() {
        for text in ["", "kc:", "my-idp:"] {
            assert_eq!(text.parse::<NamePrefix>().unwrap().as_str(), text);
        }
        for text in ["kc", ":", "a b:", "a:b:", "kc/"] {
            assert!(text.parse::<NamePrefix>().is_err(), "{text}");
        }
    }
}
