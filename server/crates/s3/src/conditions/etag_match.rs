//! One entity tag of a condition.

use crate::names::{ETag, InvalidETag};

/// Which object a condition speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ETagMatch {
    /// `*`: any object that there is.
    Any,
    /// The object with this tag.
    Tag(ETag),
    /// Content that somebody on the way made of the object with this tag, by compressing it for example.
    Weak(ETag),
}

impl ETagMatch {
    /// Reads `*` or a tag, with or without quotes.
    ///
    /// # Errors
    /// [`InvalidETag`].
    pub fn parse(text: &str) -> Result<Self, InvalidETag> {
        let text = text.trim();
        match text.strip_prefix("W/") {
            Some(weak) => weak.parse().map(Self::Weak),
            None if text == "*" => Ok(Self::Any),
            None => text.parse().map(Self::Tag),
        }
    }

    /// Whether an object with that tag is meant, byte for byte.
    pub fn matches(&self, etag: &ETag) -> bool {
        match self {
            Self::Any => true,
            Self::Tag(tag) => tag == etag,
            Self::Weak(_) => false,
        }
    }

    /// Whether an object with that tag says the same: what a reader who wants no second copy asks.
    pub fn matches_weakly(&self, etag: &ETag) -> bool {
        matches!(self, Self::Weak(tag) if tag == etag) || self.matches(etag)
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
        let weak = ETagMatch::parse(&format!("W/{}", etag.quoted())).unwrap();
        assert!(!weak.matches(&etag) && weak.matches_weakly(&etag));
        for text in ["", "W/", "W/\"\""] {
            assert_eq!(ETagMatch::parse(text), Err(InvalidETag), "{text}");
        }
    }
}
