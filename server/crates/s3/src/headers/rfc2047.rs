//! Encoded words (RFC 2047): text in headers that take ASCII alone.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// As many bytes as fit the 75 characters of a word.
const BYTES_OF_A_WORD: usize = 45;

/// ASCII as it is, other text as encoded words.
pub(super) fn encode(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        // Words end between characters.
        let mut end = rest.len().min(BYTES_OF_A_WORD);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (word, after) = rest.split_at(end);
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    Cow::Owned(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_text_when_encoded_then_ascii_stays_and_words_are_short_enough() {
        assert_eq!(encode("a b"), "a b");
        assert_eq!(encode("ü"), "=?UTF-8?B?w7w=?=");
        let long = format!("a{}", "ü".repeat(100));
        let encoded = encode(&long);
        let mut decoded = Vec::new();
        for word in encoded.split(' ') {
            assert!(word.len() <= 75, "{word}");
            let inner = word
                .strip_prefix("=?UTF-8?B?")
                .unwrap()
                .strip_suffix("?=")
                .unwrap();
            let bytes = STANDARD.decode(inner).unwrap();
            assert!(std::str::from_utf8(&bytes).is_ok());
            decoded.extend(bytes);
        }
        assert_eq!(decoded, long.as_bytes());
    }
}
