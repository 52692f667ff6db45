//! Object keys (user guide, "Naming Amazon S3 objects").

use std::fmt;

use crate::error::{ErrorCode, S3Error};

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

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<InvalidKey> for S3Error {
    fn from(invalid: InvalidKey) -> Self {
        match invalid {
            InvalidKey::Empty => Self::invalid_request("The key must not be empty"),
            InvalidKey::TooLong { bytes } => Self::new(ErrorCode::KeyTooLongError)
                .with("Size", bytes.to_string())
                .with("MaxSizeAllowed", MAX_KEY_BYTES.to_string()),
            InvalidKey::NotUtf8 => Self::with_message(
                ErrorCode::InvalidURI,
                "Couldn't parse the specified URI: the key must be UTF-8.",
            ),
        }
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
        let code = |bytes: &[u8]| S3Error::from(ObjectKey::from_bytes(bytes).unwrap_err()).code();
        assert_eq!(code(b""), ErrorCode::InvalidRequest);
        assert_eq!(code(&[b'k'; 1025]), ErrorCode::KeyTooLongError);
        assert_eq!(code(b"\xff"), ErrorCode::InvalidURI);
    }
}
