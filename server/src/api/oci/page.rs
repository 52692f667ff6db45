//! Paging: `n`, `last` and the `Link` to the next page (RFC 8288).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{OciError, OciErrorCode};

/// What a query may carry unescaped (RFC 3986, unreserved).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Reads the parameter `n`. An empty one says nothing.
pub(super) fn count(value: Option<&str>) -> Result<Option<usize>, OciError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(OciError::new(
            OciErrorCode::Unsupported,
            format!("n must be a whole number, not {value:?}"),
        ));
    }
    // A number too large to read asks for more than any page holds.
    Ok(Some(value.parse().unwrap_or(usize::MAX)))
}

/// The header that leads to the next page.
pub(super) fn next_link(path: &str, parameters: &[(&str, &str)]) -> String {
    let query: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", escape(value)))
        .collect();
    format!("<{path}?{}>; rel=\"next\"", query.join("&"))
}

/// A value as it may stand in a query.
pub(super) fn escape(value: &str) -> String {
    utf8_percent_encode(value, UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_counts_when_read_then_only_whole_numbers_pass() {
        assert_eq!(count(None).unwrap(), None);
        assert_eq!(count(Some("")).unwrap(), None);
        assert_eq!(count(Some("0")).unwrap(), Some(0));
        assert_eq!(count(Some("99999999999999999999999")).unwrap(), Some(usize::MAX));
        for bad in ["-1", "+1", "a", "1.5"] {
            assert!(count(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn given_special_characters_when_linked_then_escaped() {
        let link = next_link("/v2/a/referrers/x", &[("n", "2"), ("artifactType", "a/b+c;\"")]);
        assert_eq!(
            link,
            r#"</v2/a/referrers/x?n=2&artifactType=a%2Fb%2Bc%3B%22>; rel="next""#
        );
    }
}
