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

/// Most ranges of one header that are answered one by one: each costs the answer a head of its own, and lazy pullers ask
/// for a few dozen.
const MAX_RANGES: usize = 64;

/// What a `Range` header asks of content of a known length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeRequest {
    /// No range that this server serves: answer the whole content with 200.
    Whole,
    /// One part: answer 206.
    Part(ByteRange),
    /// Two parts or more, in the order asked and together no longer than the content: answer 206 with
    /// `multipart/byteranges`.
    Parts(Vec<ByteRange>),
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
    /// A header of another unit, of too many or overlapping ranges or of wrong syntax is ignored, which RFC 9110 section
    /// 14.2 allows and which clients handle. A range whose last byte lies before its first is a mistake that the client
    /// should hear of, so it is refused rather than answered with the whole content. Of several ranges those that lie
    /// outside the content are left out.
    ///
    /// # Errors
    /// [`RangeUnsatisfiable`] when no range selects anything.
    pub fn parse(header: &str, length: u64) -> Result<Self, RangeUnsatisfiable> {
        let Some(specification) = header.trim().strip_prefix("bytes=") else {
            return Ok(Self::Whole);
        };
        let texts = specification.split(',').map(str::trim);
        let texts: Vec<&str> = texts
            .filter(|text| !text.is_empty())
            .take(MAX_RANGES + 1)
            .collect();
        let Some(ranges) = texts
            .iter()
            .map(|text| Selected::of(text, length))
            .collect::<Option<Vec<_>>>()
            .filter(|ranges| (1..=MAX_RANGES).contains(&ranges.len()))
        else {
            return Ok(Self::Whole);
        };
        let mut parts: Vec<ByteRange> = ranges.into_iter().filter_map(|Selected(part)| part).collect();
        // More bytes than the content has: some are asked for twice, and the whole costs less.
        if parts.iter().map(|part| u128::from(part.length)).sum::<u128>() > u128::from(length) {
            return Ok(Self::Whole);
        }
        match (parts.len(), parts.pop()) {
            (1, Some(part)) => Ok(Self::Part(part)),
            (_, Some(last)) => {
                parts.push(last);
                Ok(Self::Parts(parts))
            }
            (_, None) => Err(RangeUnsatisfiable { length }),
        }
    }
}

/// What one well-formed range selects of the content, if anything.
struct Selected(Option<ByteRange>);

impl Selected {
    /// `None`: the text is no range.
    fn of(text: &str, length: u64) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let (start, end) = match (number(first), number(last)) {
            (Field::Number(first), Field::Number(last)) => (first, last.saturating_add(1).min(length)),
            (Field::Number(first), Field::Empty) => (first, length),
            (Field::Empty, Field::Number(suffix)) => (length.saturating_sub(suffix), length),
            _ => return None,
        };
        let part = (start < end).then(|| ByteRange {
            start,
            length: end - start,
        });
        Some(Self(part))
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
    fn given_several_ranges_when_parsed_then_those_inside_the_content_in_the_order_asked() {
        let parts = |ranges: &[(u64, u64)]| {
            let parts = ranges.iter().map(|(start, length)| ByteRange {
                start: *start,
                length: *length,
            });
            Ok(RangeRequest::Parts(parts.collect()))
        };
        let parse = |header| RangeRequest::parse(header, 10);
        assert_eq!(parse("bytes=0-1,3-4"), parts(&[(0, 2), (3, 2)]));
        assert_eq!(parse("bytes=-2, ,0-0"), parts(&[(8, 2), (0, 1)]));
        assert_eq!(parse("bytes=0-1,20-30,3-4"), parts(&[(0, 2), (3, 2)]));
        assert_eq!(parse("bytes=0-1,20-30"), part(0, 2));
        assert_eq!(parse("bytes=20-30,40-50"), Err(RangeUnsatisfiable { length: 10 }));
        // More than there is, or too many: the whole content.
        assert_eq!(parse("bytes=0-7,0-7"), Ok(RangeRequest::Whole));
        let header = |count: u64| {
            let ranges: Vec<String> = (0..count).map(|number| format!("{number}-{number}")).collect();
            format!("bytes={}", ranges.join(","))
        };
        let found = RangeRequest::parse(&header(64), 1000);
        assert!(matches!(&found, Ok(RangeRequest::Parts(parts)) if parts.len() == 64));
        assert_eq!(RangeRequest::parse(&header(65), 1000), Ok(RangeRequest::Whole));
    }

    #[test]
    fn given_headers_that_are_no_byte_range_when_parsed_then_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "items=0-1",
            "bytes=a-b",
            "bytes=0-1,a-b",
            "bytes=,",
        ] {
            assert_eq!(
                RangeRequest::parse(header, 10),
                Ok(RangeRequest::Whole),
                "{header}"
            );
        }
    }
}
