//! The tag under which an object appears in the repository of its bucket.
//!
//! It is the key with every byte outside `[A-Za-z0-9.-]`, and a `.` or `-` at its beginning, written as `_HH` with two
//! upper-case hexadecimal digits. So each key has one tag at most, and each tag means one key at most.

use crate::{ObjectKey, Tag};

/// The tag of a key; none for a key that is too long to be one.
pub fn tag_of_key(key: &ObjectKey) -> Option<Tag> {
    escape(key.as_str()).parse().ok()
}

/// The key that a tag means; none for a text that [`tag_of_key`] never gives.
pub fn key_of_tag(tag: &Tag) -> Option<ObjectKey> {
    let mut bytes = Vec::with_capacity(tag.as_str().len());
    let mut left = tag.as_str();
    while let Some(character) = left.chars().next() {
        if character == '_' {
            let digits = left.get(1..3)?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            left = left.get(3..)?;
        } else {
            bytes.push(u8::try_from(character).ok()?);
            left = left.get(1..)?;
        }
    }
    let key = ObjectKey::from_bytes(&bytes).ok()?;
    // Other spellings of the same key are no tags.
    (escape(key.as_str()) == tag.as_str()).then_some(key)
}

fn escape(key: &str) -> String {
    let mut escaped = String::with_capacity(key.len());
    for (position, byte) in key.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || (position > 0 && matches!(byte, b'.' | b'-'));
        if is_plain {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("_{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(key: &str) -> Option<String> {
        tag_of_key(&key.parse().unwrap()).map(|tag| tag.as_str().to_owned())
    }

    #[test]
    fn given_keys_when_written_as_tags_then_escaped() {
        assert_eq!(tag("model.bin").unwrap(), "model.bin");
        assert_eq!(tag("models/v1-2.bin").unwrap(), "models_2Fv1-2.bin");
        assert_eq!(tag(".hidden").unwrap(), "_2Ehidden");
        assert_eq!(tag("-x").unwrap(), "_2Dx");
        assert_eq!(tag("a_b").unwrap(), "a_5Fb");
        assert_eq!(tag("\u{e9}").unwrap(), "_C3_A9");
        assert_eq!(tag(&"a".repeat(128)).unwrap().len(), 128);
        assert_eq!(tag(&"a".repeat(129)), None);
    }

    #[test]
    fn given_texts_that_no_key_is_written_as_when_read_then_none() {
        for text in ["a_2fb", "_41", "a_", "a_2", "_GG", "__", "_FF", "a_2E", "a_+1"] {
            if let Ok(tag) = text.parse::<Tag>() {
                assert_eq!(key_of_tag(&tag), None, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn given_any_key_when_written_as_a_tag_and_read_then_the_same(text in ".{1,60}") {
            let key: ObjectKey = text.parse().unwrap();
            if let Some(tag) = tag_of_key(&key) {
                prop_assert_eq!(key_of_tag(&tag), Some(key));
            }
        }
    }
}
