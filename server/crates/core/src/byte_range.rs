//! Range requests (RFC 9110 section 14).

/// A satisfiable, non-empty part of some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Position of the first byte.
    pub start: u64,
    /// How many bytes, at least one.
    pub length: u64,
}

impl ByteRange {
    /// Position of the last byte.
    pub const fn last(self) -> u64 {
        self.start + (self.length - 1)
    }
}

/// What a `Range` header asks of content of a known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeRequest {
    /// No range that this server serves: answer the whole content with 200.
    Whole,
    /// One part: answer 206.
    Part(ByteRange),
}

/// The range lies outside the content: answer 416.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the range lies outside the content of {length} bytes")]
pub struct RangeUnsatisfiable {
    /// Length of the content in bytes.
    pub length: u64,
}

impl RangeRequest {
    /// Reads a `Range` header for content of `length` bytes.
    ///
    /// A header of another unit, of several ranges or of wrong syntax is ignored, which RFC 9110 section 14.2
    /// allows and which clients handle. A range whose last byte lies before its first is a mistake that the client
    /// should hear of, so it is refused rather than answered with the whole content.
    ///
    /// # Errors
    /// [`RangeUnsatisfiable`] when the range selects nothing.
    pub fn parse(header: &str, length: u64) -> Result<Self, RangeUnsatisfiable> {
        let Some(specification) = header.trim().strip_prefix("bytes=") else {
            return Ok(Self::Whole);
        };
        let Some((first, last)) = specification.trim().split_once('-') else {
            return Ok(Self::Whole);
        };
        let unsatisfiable = RangeUnsatisfiable { length };
        let (start, end) = match (number(first), number(last)) {
            (Field::Number(first), Field::Number(last)) => (first, last.saturating_add(1).min(length)),
            (Field::Number(first), Field::Empty) => (first, length),
            (Field::Empty, Field::Number(suffix)) => (length.saturating_sub(suffix), length),
            _ => return Ok(Self::Whole),
        };
        if start >= end {
            return Err(unsatisfiable);
        }
        Ok(Self::Part(ByteRange {
            start,
            length: end - start,
        }))
    }
}

enum Field {
    Empty,
    Number(u64),
    Malformed,
}

fn number(text: &str) -> Field {
    if text.is_empty() {
        return Field::Empty;
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Field::Malformed;
    }
    // More digits than fit mean "past the end", which is what the largest number says.
    Field::Number(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: u64, length: u64) -> Result<RangeRequest, RangeUnsatisfiable> {
        Ok(RangeRequest::Part(ByteRange { start, length }))
    }

    #[test]
    fn given_ranges_inside_the_content_when_parsed_then_they_are_cut_to_it() {
        assert_eq!(RangeRequest::parse("bytes=0-0", 10), part(0, 1));
        assert_eq!(RangeRequest::parse("bytes=2-5", 10), part(2, 4));
        assert_eq!(RangeRequest::parse("bytes=2-", 10), part(2, 8));
        assert_eq!(RangeRequest::parse("bytes=-3", 10), part(7, 3));
        assert_eq!(RangeRequest::parse("bytes=-30", 10), part(0, 10));
        assert_eq!(
            RangeRequest::parse("bytes=5-99999999999999999999999", 10),
            part(5, 5)
        );
        assert_eq!(
            RangeRequest::parse("bytes=0-18446744073709551615", 10),
            part(0, 10)
        );
    }

    #[test]
    fn given_ranges_past_the_end_when_parsed_then_unsatisfiable() {
        for header in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=5-2"] {
            assert_eq!(
                RangeRequest::parse(header, 10),
                Err(RangeUnsatisfiable { length: 10 }),
                "{header}"
            );
        }
        assert_eq!(
            RangeRequest::parse("bytes=0-", 0),
            Err(RangeUnsatisfiable { length: 0 })
        );
    }

    #[test]
    fn given_headers_that_are_no_single_byte_range_when_parsed_then_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "items=0-1",
            "bytes=0-1,3-4",
            "bytes=a-b",
        ] {
            assert_eq!(
                RangeRequest::parse(header, 10),
                Ok(RangeRequest::Whole),
                "{header}"
            );
        }
    }
}
