//! Query parameters, read as RFC 3986 writes them: a plus sign is a plus sign. Only HTML forms make it a space, and
//! artifact types and digests contain plus signs.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The parameters in their order. Bytes that are no text become replacement characters, which no parameter allows.
pub(super) fn parse(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let decoded: Cow<'_, str> = percent_decode_str(text).decode_utf8_lossy();
    decoded.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_queries_when_parsed_then_only_percent_signs_escape() {
        for (query, expected) in [
            ("", vec![]),
            ("&", vec![]),
            (
                "artifactType=application/spdx+json",
                vec![("artifactType", "application/spdx+json")],
            ),
            (
                "artifactType=application/spdx%2Bjson",
                vec![("artifactType", "application/spdx+json")],
            ),
            ("a=b%20c&a=d&e", vec![("a", "b c"), ("a", "d"), ("e", "")]),
            ("a=b=c&%61=%00", vec![("a", "b=c"), ("a", "\0")]),
            ("a=%ff", vec![("a", "\u{fffd}")]),
        ] {
            let parsed = parse(query);
            let parsed: Vec<_> = parsed
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(parsed, expected, "{query}");
        }
    }
}
