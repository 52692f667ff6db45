//! What a manifest is asked for by: a tag or a digest.

use std::fmt;
use std::str::FromStr;

use crate::{Digest, InvalidDigest, InvalidTag, Tag};

/// A tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A name that may move.
    Tag(Tag),
    /// The content itself.
    Digest(Digest),
}

/// Why a text is neither a tag nor a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// It has a colon, so it was meant as a digest.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// It has no colon, so it was meant as a tag.
    #[error(transparent)]
    Tag(#[from] InvalidTag),
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        // No tag holds a colon and every digest does.
        if text.contains(':') {
            return Ok(Self::Digest(text.parse()?));
        }
        Ok(Self::Tag(text.parse()?))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => fmt::Display::fmt(tag, formatter),
            Self::Digest(digest) => fmt::Display::fmt(digest, formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_colon_when_parsed_then_a_digest_or_a_digest_error() {
        let digest = Digest::sha256_of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(Reference::Digest(digest)));
        assert!(matches!(
            "sha256:zz".parse::<Reference>(),
            Err(InvalidReference::Digest(_))
        ));
        assert!(matches!("latest".parse(), Ok(Reference::Tag(_))));
        assert!(matches!(".x".parse::<Reference>(), Err(InvalidReference::Tag(_))));
    }
}
