//! Object keys (user guide, "Naming Amazon S3 objects").

use std::fmt;
use std::str::FromStr;

/// The longest key, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 1024;

/// The key of an object: 1 to 1024 bytes of UTF-8. `..`, `//`, `%`, `+` and control characters are text like any
/// other; a key is never a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

/// The bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// There is nothing.
    #[error("a key has at least one byte")]
    Empty,
    /// Longer than [`MAX_KEY_BYTES`].
    #[error("the key has {bytes} bytes, the most are {MAX_KEY_BYTES}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the key is not UTF-8")]
    NotUtf8,
}

impl ObjectKey {
    /// Takes decoded bytes.
    ///
    /// # Errors
    /// [`InvalidKey`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidKey> {
        if bytes.is_empty() {
            return Err(InvalidKey::Empty);
        }
        if bytes.len() > MAX_KEY_BYTES {
            return Err(InvalidKey::TooLong { bytes: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidKey::NotUtf8)?;
        Ok(Self(text.to_owned()))
    }

    /// Takes a text.
    ///
    /// # Errors
    /// [`InvalidKey`].
    pub fn from_text(text: &str) -> Result<Self, InvalidKey> {
        Self::from_bytes(text.as_bytes())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::from_text(text)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_bytes_at_the_limits_when_parsed_then_accepted_or_named() {
        let longest = "é".repeat(512);
        assert!(ObjectKey::from_bytes(longest.as_bytes()).is_ok());
        for key in ["../../x", "a//b", "/", "%2F", "a+b", "\u{1}", "."] {
            assert_eq!(ObjectKey::from_bytes(key.as_bytes()).unwrap().as_str(), key);
        }
        let error = |bytes: &[u8]| ObjectKey::from_bytes(bytes).unwrap_err();
        assert_eq!(error(b""), InvalidKey::Empty);
        assert_eq!(error(&[b'k'; 1025]), InvalidKey::TooLong { bytes: 1025 });
        assert_eq!(error(b"\xff"), InvalidKey::NotUtf8);
    }
}
