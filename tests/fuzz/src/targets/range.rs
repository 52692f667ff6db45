//! The headers `Range` and `Content-Range`.

use std::sync::LazyLock;

use regex::Regex;
use zas_core::{ByteRange, ChunkRange, RangeRequest};

use crate::Verdict;
use crate::input::Input;

static RANGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("\\A([0-9]*)-([0-9]*)\\z").expect("a regular expression"));

/// Most ranges that are answered one by one.
const MAX_RANGES: usize = 64;

/// The first eight bytes are the length of the content, the rest is the header.
///
/// A range that is served lies inside the content and is the one that arithmetic without overflow says; a chunk's
/// range has the length that its two ends say.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let length = input.number();
    let header = input.text();
    let read = RangeRequest::parse(&header, length).ok();
    assert_eq!(read, expected(&header, length), "{header:?} of {length} bytes");
    let parts = match read {
        Some(RangeRequest::Part(part)) => vec![part],
        Some(RangeRequest::Parts(parts)) => parts,
        Some(RangeRequest::Whole) | None => Vec::new(),
    };
    parts.iter().for_each(|part| check_inside(*part, length));
    let is_chunk = check_chunk(&header);
    Verdict::accepted_if(is_chunk || !parts.is_empty())
}

fn check_inside(part: ByteRange, length: u64) {
    assert!(part.length >= 1 && part.start < length);
    let end = u128::from(part.start) + u128::from(part.length);
    assert!(end <= u128::from(length), "{part:?} of {length}");
    assert_eq!(u128::from(part.last()) + 1, end);
}

/// RFC 9110, sections 14.1.2 and 14.2; `None` stands for 416.
fn expected(header: &str, length: u64) -> Option<RangeRequest> {
    let whole = Some(RangeRequest::Whole);
    let Some(list) = header.trim().strip_prefix("bytes=") else {
        return whole;
    };
    let ranges: Vec<&str> = list
        .split(',')
        .map(str::trim)
        .filter(|own| !own.is_empty())
        .collect();
    if ranges.is_empty() || ranges.len() > MAX_RANGES {
        return whole;
    }
    let mut parts = Vec::new();
    for range in ranges {
        let Some(found) = RANGE.captures(range) else {
            return whole;
        };
        let length = u128::from(length);
        let (start, end) = match (number(&found, 1), number(&found, 2)) {
            (None, None) => return whole,
            (Some(first), None) => (first, length),
            (None, Some(suffix)) => (length.saturating_sub(suffix), length),
            (Some(first), Some(last)) => (first, last.saturating_add(1).min(length)),
        };
        if start < end {
            parts.push(ByteRange {
                start: u64::try_from(start).ok()?,
                length: u64::try_from(end - start).ok()?,
            });
        }
    }
    let asked: u128 = parts.iter().map(|part| u128::from(part.length)).sum();
    match parts.as_slice() {
        [] => None,
        _ if asked > u128::from(length) => whole,
        [part] => Some(RangeRequest::Part(*part)),
        _ => Some(RangeRequest::Parts(parts)),
    }
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
