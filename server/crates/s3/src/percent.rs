//! Percent-encoding as SigV4 and S3 use it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same for a path, whose slashes stay.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// `UriEncode` of the SigV4 documentation, slashes included.
pub(crate) fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

/// `UriEncode` of a path, whose slashes stay.
pub(crate) fn encode_path(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED_IN_PATH).to_string()
}

/// Decodes once. A `%` without two digits is refused: clients and servers would read it differently.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, [u8]>> {
    is_well_formed(text).then(|| percent_decode(text.as_bytes()).into())
}

/// Decodes a name or a value of a query, where `+` is a space.
pub(crate) fn decode_query(text: &str) -> Option<Vec<u8>> {
    let spaced = text.replace('+', " ");
    decode(&spaced).map(Cow::into_owned)
}

fn is_well_formed(text: &str) -> bool {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let is_escape = byte == b'%';
        let is_digit = |digit: Option<u8>| digit.is_some_and(|digit| digit.is_ascii_hexdigit());
        if is_escape && !(is_digit(rest.next()) && is_digit(rest.next())) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_text_when_encoded_then_only_the_unreserved_stay() {
        assert_eq!(encode(b"a/b c~+*%\xff"), "a%2Fb%20c~%2B%2A%25%FF");
        assert_eq!(encode_path(b"/a b/c"), "/a%20b/c");
    }

    #[test]
    fn given_encoded_text_when_decoded_then_once_and_only_whole_escapes() {
        assert_eq!(decode("a%2525+b").as_deref(), Some(&b"a%25+b"[..]));
        assert_eq!(decode_query("a+b%2B").as_deref(), Some(&b"a b+"[..]));
        for text in ["%", "%1", "%zz", "a%2"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
