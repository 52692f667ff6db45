//! The header `Range` of `GET` and `HEAD`.

use zas_core::{ByteRange, RangeRequest};

use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;
use crate::names::PartNumber;

/// The range that is asked for of an object of `size` bytes; `None`: all of it. Several ranges are all of it, too: S3
/// has no answers in parts.
///
/// # Errors
/// `InvalidRange` for one that lies outside, `InvalidRequest` together with `partNumber`.
pub fn requested_range(
    headers: &Headers<'_>,
    part: Option<PartNumber>,
    size: u64,
) -> Result<Option<ByteRange>, S3Error> {
    let Some(text) = headers.text("range")? else {
        return Ok(None);
    };
    if part.is_some() {
        return Err(S3Error::invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    if text.contains(',') {
        return Ok(None);
    }
    match RangeRequest::parse(text, size) {
        Ok(RangeRequest::Part(range)) => Ok(Some(range)),
        Ok(RangeRequest::Whole | RangeRequest::Parts(_)) => Ok(None),
        Err(unsatisfiable) => Err(S3Error::new(ErrorCode::InvalidRange)
            .with("RangeRequested", text)
            .with("ActualObjectSize", unsatisfiable.length.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_ranges_when_read_then_one_or_all_or_invalid_range() {
        let read = |text: &str| {
            let headers: Headers<'_> = [("range", text.as_bytes())].into_iter().collect();
            requested_range(&headers, None, 10)
        };
        for (text, expected) in [
            ("bytes=0-3", Some((0, 4))),
            ("bytes=5-", Some((5, 5))),
            ("bytes=-3", Some((7, 3))),
            ("bytes=5-500", Some((5, 5))),
            ("bytes=0-1,5-6", None),
            ("bytes=0-1,50-60", None),
            ("items=0-1", None),
            ("bytes=x", None),
        ] {
            let range = read(text).unwrap().map(|range| (range.start, range.length));
            assert_eq!(range, expected, "{text}");
        }
        for text in ["bytes=10-", "bytes=10-20", "bytes=-0"] {
            let error = read(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRange, "{text}");
            assert_eq!(error.element("RangeRequested"), Some(text));
            assert_eq!(error.element("ActualObjectSize"), Some("10"));
        }
    }

    #[test]
    fn given_a_range_and_a_part_when_read_then_refused() {
        let headers: Headers<'_> = [("range", &b"bytes=0-1"[..])].into_iter().collect();
        let error = requested_range(&headers, PartNumber::new(1), 10).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRequest);
        assert_eq!(
            requested_range(&Headers::default(), PartNumber::new(1), 10),
            Ok(None)
        );
    }
}
