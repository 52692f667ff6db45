//! Entity tags (API reference, "Common response headers").

use std::fmt;
use std::str::FromStr;

use crate::hex;

/// What an entity tag holds at most: more than `md5-10000`.
const MAX_BYTES: usize = 128;

/// The entity tag of an object: for clients an opaque text, for what was written in one piece its MD5, for what was
/// written in parts the MD5 of their MD5s and how many they were.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

/// The text is no entity tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an entity tag: send it as it was received")]
pub struct InvalidETag;

impl ETag {
    /// Of content written in one piece.
    pub fn of_md5(md5: [u8; 16]) -> Self {
        Self(hex::encode(&md5))
    }

    /// Of content written in `parts` parts, given the MD5 of the joined MD5s.
    pub fn of_parts(md5_of_md5s: [u8; 16], parts: u16) -> Self {
        Self(format!("{}-{parts}", hex::encode(&md5_of_md5s)))
    }

    /// Without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With quotes, as headers and XML carry it.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// The MD5 when the tag is one.
    pub fn md5(&self) -> Option<[u8; 16]> {
        hex::decode(&self.0)
    }
}

/// Reads a tag with or without quotes: clients send both.
impl FromStr for ETag {
    type Err = InvalidETag;

    fn from_str(text: &str) -> Result<Self, InvalidETag> {
        let text = text.trim();
        let inner = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(text);
        let is_tag = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
        if inner.is_empty() || inner.len() > MAX_BYTES || !inner.bytes().all(is_tag) {
            return Err(InvalidETag);
        }
        Ok(Self(inner.to_owned()))
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_tag_with_or_without_quotes_when_parsed_then_the_same() {
        let md5 = ETag::of_md5([0xab; 16]);
        assert_eq!(md5.quoted().parse(), Ok(md5.clone()));
        assert_eq!(md5.as_str().parse(), Ok(md5.clone()));
        assert_eq!(md5.md5(), Some([0xab; 16]));
        assert_eq!(
            ETag::of_parts([0; 16], 2).to_string(),
            "\"00000000000000000000000000000000-2\""
        );
        for text in ["", "\"\"", "\"a", "a b", "é"] {
            assert_eq!(text.parse::<ETag>(), Err(InvalidETag), "{text}");
        }
    }
}
