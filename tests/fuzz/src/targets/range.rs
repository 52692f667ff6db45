//! The headers `Range` and `Content-Range`.

use std::sync::LazyLock;

use regex::Regex;
use zas_core::{ByteRange, ChunkRange, RangeRequest};

use crate::Verdict;
use crate::input::Input;

static RANGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("\\Abytes=\\s*([0-9]*)-([0-9]*)\\z").expect("a regular expression"));

/// The first eight bytes are the length of the content, the rest is the header.
///
/// A range that is served lies inside the content and is the one that arithmetic without overflow says; a chunk's
/// range has the length that its two ends say.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let length = input.number();
    let header = input.text();
    let read = RangeRequest::parse(&header, length);
    assert_eq!(
        read.ok(),
        expected(&header, length),
        "{header:?} of {length} bytes"
    );
    if let Ok(RangeRequest::Part(part)) = read {
        check_inside(part, length);
    }
    let is_chunk = check_chunk(&header);
    Verdict::accepted_if(is_chunk || matches!(read, Ok(RangeRequest::Part(_))))
}

fn check_inside(part: ByteRange, length: u64) {
    assert!(part.length >= 1 && part.start < length);
    let end = u128::from(part.start) + u128::from(part.length);
    assert!(end <= u128::from(length), "{part:?} of {length}");
    assert_eq!(u128::from(part.last()) + 1, end);
}

/// RFC 9110, section 14.1.2; `None` stands for 416.
fn expected(header: &str, length: u64) -> Option<RangeRequest> {
    let Some(found) = RANGE.captures(header.trim()) else {
        return Some(RangeRequest::Whole);
    };
    let length = u128::from(length);
    let (start, end) = match (number(&found, 1), number(&found, 2)) {
        (None, None) => return Some(RangeRequest::Whole),
        (Some(first), None) => (first, length),
        (None, Some(suffix)) => (length.saturating_sub(suffix), length),
        (Some(first), Some(last)) => (first, last.saturating_add(1).min(length)),
    };
    if start >= end {
        return None;
    }
    Some(RangeRequest::Part(ByteRange {
        start: u64::try_from(start).ok()?,
        length: u64::try_from(end - start).ok()?,
    }))
}

/// A number of any length: what does not fit lies past every content.
fn number(found: &regex::Captures<'_>, group: usize) -> Option<u128> {
    let digits = found.get(group)?.as_str();
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u128::MAX))
}

fn check_chunk(header: &str) -> bool {
    let Ok(chunk) = header.parse::<ChunkRange>() else {
        return false;
    };
    let ChunkRange { first, last } = chunk;
    assert!(first <= last);
    let length = u128::from(last) - u128::from(first) + 1;
    assert_eq!(chunk.length(), u64::try_from(length).ok());
    assert_eq!(format!("{first}-{last}").parse(), Ok(chunk));
    assert_eq!(format!("bytes {first}-{last}/*").parse(), Ok(chunk));
    true
}
