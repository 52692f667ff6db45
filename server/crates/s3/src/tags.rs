//! Tags of buckets and objects (user guide, "Categorizing your objects using tags").

use std::collections::HashSet;

use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;
use crate::query::Query;

const MAX_OBJECT_TAGS: usize = 10;
const MAX_BUCKET_TAGS: usize = 50;
const MAX_KEY_CHARACTERS: usize = 128;
const MAX_VALUE_CHARACTERS: usize = 256;

/// What AWS keeps for itself.
const SYSTEM_PREFIX: &str = "aws:";

/// A tag. Keys and values have letters, digits, spaces and `+ - = . _ : / @`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    key: String,
    value: String,
}

impl Tag {
    /// A tag within the limits: a key of 1 to 128 characters, a value of up to 256.
    ///
    /// # Errors
    /// `InvalidTag`.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Result<Self, S3Error> {
        let (key, value) = (key.into(), value.into());
        let is_key = !key.is_empty() && key.chars().count() <= MAX_KEY_CHARACTERS && is_allowed(&key);
        if !is_key {
            return Err(invalid("The TagKey you have provided is invalid").with("TagKey", key));
        }
        if key.starts_with(SYSTEM_PREFIX) {
            let error = invalid("System tags cannot be added/updated by requester");
            return Err(error.with("TagKey", key));
        }
        if value.chars().count() > MAX_VALUE_CHARACTERS || !is_allowed(&value) {
            let error = invalid("The TagValue you have provided is invalid");
            return Err(error.with("TagKey", key).with("TagValue", value));
        }
        Ok(Self { key, value })
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }
}

fn is_allowed(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_alphanumeric() || character == ' ' || "+-=._:/@".contains(character))
}

fn invalid(message: &'static str) -> S3Error {
    S3Error::with_message(ErrorCode::InvalidTag, message)
}

/// Tags with keys of their own, as many as an object or a bucket may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSet(Vec<Tag>);

impl TagSet {
    /// The header that gives an object its tags when it is written.
    pub const HEADER: &str = "x-amz-tagging";

    /// The tags of an object, up to 10.
    ///
    /// # Errors
    /// `BadRequest` when there are more, `InvalidTag` when two have one key.
    pub fn of_object(tags: Vec<Tag>) -> Result<Self, S3Error> {
        Self::new(tags, MAX_OBJECT_TAGS, "Object tags cannot be greater than 10")
    }

    /// The tags of a bucket, up to 50.
    ///
    /// # Errors
    /// `BadRequest` when there are more, `InvalidTag` when two have one key.
    pub fn of_bucket(tags: Vec<Tag>) -> Result<Self, S3Error> {
        Self::new(
            tags,
            MAX_BUCKET_TAGS,
            "Bucket tag count cannot be greater than 50",
        )
    }

    /// Reads `x-amz-tagging`, whose form is that of a query; `None` when there is none.
    ///
    /// # Errors
    /// `InvalidArgument` when it is malformed, and as [`of_object`](Self::of_object).
    pub fn of_header(headers: &Headers<'_>) -> Result<Option<Self>, S3Error> {
        headers.text(Self::HEADER)?.map(Self::parse_header).transpose()
    }

    fn parse_header(text: &str) -> Result<Self, S3Error> {
        let malformed = || {
            S3Error::invalid_argument(
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without \
                 tag name duplicates.",
                Self::HEADER,
                text,
            )
        };
        let query = Query::parse(text).map_err(|_| malformed())?;
        let mut tags = Vec::new();
        for parameter in query.parameters() {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| malformed());
            tags.push(Tag::new(text(&parameter.name)?, text(&parameter.value)?)?);
        }
        if has_duplicates(&tags) {
            return Err(malformed());
        }
        Self::of_object(tags)
    }

    fn new(tags: Vec<Tag>, most: usize, too_many: &'static str) -> Result<Self, S3Error> {
        if tags.len() > most {
            return Err(S3Error::with_message(ErrorCode::BadRequest, too_many));
        }
        if has_duplicates(&tags) {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
        Ok(Self(tags))
    }

    /// The tags in their order.
    pub fn tags(&self) -> &[Tag] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn has_duplicates(tags: &[Tag]) -> bool {
    let keys: HashSet<&str> = tags.iter().map(Tag::key).collect();
    keys.len() != tags.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(count: usize) -> Vec<Tag> {
        (0..count)
            .map(|number| Tag::new(format!("k{number}"), "v").unwrap())
            .collect()
    }

    fn of_header(text: &str) -> Result<Option<TagSet>, S3Error> {
        TagSet::of_header(&[(TagSet::HEADER, text.as_bytes())].into_iter().collect())
    }

    #[test]
    fn given_tags_at_their_limits_when_made_then_accepted_or_invalid_tag() {
        let (key, value) = ("ü".repeat(128), "v".repeat(256));
        assert!(Tag::new(key.clone(), value.clone()).is_ok());
        assert!(Tag::new("a B+-=._:/@1", "").is_ok());
        for (key, value) in [
            ("", "v"),
            (&format!("{key}k") as &str, "v"),
            ("k", &format!("{value}v") as &str),
            ("k?", "v"),
            ("k", "v&"),
            ("k", "a\nb"),
            ("aws:k", "v"),
        ] {
            assert_eq!(
                Tag::new(key, value).unwrap_err().code(),
                ErrorCode::InvalidTag,
                "{key}={value}"
            );
        }
    }

    #[test]
    fn given_sets_of_tags_when_too_many_or_twice_then_refused() {
        assert!(TagSet::of_object(tags(10)).is_ok());
        assert!(TagSet::of_bucket(tags(50)).is_ok());
        let code = |set: Result<TagSet, S3Error>| set.unwrap_err().code();
        assert_eq!(code(TagSet::of_object(tags(11))), ErrorCode::BadRequest);
        assert_eq!(code(TagSet::of_bucket(tags(51))), ErrorCode::BadRequest);
        let twice = [tags(1), tags(1)].concat();
        assert_eq!(code(TagSet::of_object(twice)), ErrorCode::InvalidTag);
    }

    #[test]
    fn given_the_header_when_read_then_the_tags_of_a_query() {
        let set = of_header("project=a%2Fb+c&empty=&flag").unwrap().unwrap();
        let pairs: Vec<(&str, &str)> = set.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
        assert_eq!(pairs, [("project", "a/b c"), ("empty", ""), ("flag", "")]);
        assert!(of_header("").unwrap().unwrap().is_empty());
        assert_eq!(TagSet::of_header(&Headers::default()).unwrap(), None);
        for (text, code) in [
            ("a=%", ErrorCode::InvalidArgument),
            ("a=%ff", ErrorCode::InvalidArgument),
            ("a=1&a=2", ErrorCode::InvalidArgument),
            ("=v", ErrorCode::InvalidTag),
            ("a%3F=v", ErrorCode::InvalidTag),
        ] {
            assert_eq!(of_header(text).unwrap_err().code(), code, "{text}");
        }
    }
}
