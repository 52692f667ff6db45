//! One entity tag of a condition.

use crate::names::{ETag, InvalidETag};

/// Which object a condition speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ETagMatch {
    /// `*`: any object that there is.
    Any,
    /// The object with this tag.
    Tag(ETag),
}

impl ETagMatch {
    /// Reads `*` or a tag, with or without quotes. A weak tag never matches, since comparison is strong.
    ///
    /// # Errors
    /// [`InvalidETag`].
    pub fn parse(text: &str) -> Result<Self, InvalidETag> {
        match text.trim() {
            "*" => Ok(Self::Any),
            tag => tag.parse().map(Self::Tag),
        }
    }

    /// Whether an object with that tag is meant.
    pub fn matches(&self, etag: &ETag) -> bool {
        match self {
            Self::Any => true,
            Self::Tag(tag) => tag == etag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_tag_or_a_star_when_compared_then_the_object_that_is_meant() {
        let etag = ETag::of_md5([1; 16]);
        assert!(ETagMatch::parse("*").unwrap().matches(&etag));
        assert!(ETagMatch::parse(&etag.quoted()).unwrap().matches(&etag));
        assert!(ETagMatch::parse(etag.as_str()).unwrap().matches(&etag));
        assert!(!ETagMatch::parse("\"other\"").unwrap().matches(&etag));
        assert_eq!(ETagMatch::parse(""), Err(InvalidETag));
    }
}
