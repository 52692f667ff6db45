//! The `Content-Range` of a chunk (distribution-spec, "Pushing a blob in chunks").

use std::str::FromStr;

/// The inclusive positions of one chunk: `<first>-<last>`, without a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRange {
    /// Position of the first byte.
    pub first: u64,
    /// Position of the last byte, not before `first`.
    pub last: u64,
}

/// A text that is no chunk range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Content-Range of a chunk is <first>-<last> with first <= last, for example 0-1023")]
pub struct InvalidChunkRange;

impl ChunkRange {
    /// How many bytes the chunk has; `None` when that does not fit 64 bits.
    pub fn length(self) -> Option<u64> {
        (self.last - self.first).checked_add(1)
    }
}

impl FromStr for ChunkRange {
    type Err = InvalidChunkRange;

    fn from_str(text: &str) -> Result<Self, InvalidChunkRange> {
        // Some clients send the form of RFC 9110, `bytes 0-1023/*`.
        let text = text.strip_prefix("bytes ").unwrap_or(text).trim();
        let text = text.split('/').next().unwrap_or_default();
        let (first, last) = text.split_once('-').ok_or(InvalidChunkRange)?;
        let (first, last) = (position(first)?, position(last)?);
        (first <= last)
            .then_some(Self { first, last })
            .ok_or(InvalidChunkRange)
    }
}

fn position(text: &str) -> Result<u64, InvalidChunkRange> {
    // `u64::from_str` takes a leading plus sign, the specification does not.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidChunkRange);
    }
    text.parse().map_err(|_| InvalidChunkRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_chunk_ranges_when_parsed_then_both_forms_are_read() {
        assert_eq!("0-0".parse(), Ok(ChunkRange { first: 0, last: 0 }));
        assert_eq!("bytes 5-9/*".parse(), Ok(ChunkRange { first: 5, last: 9 }));
        assert_eq!(ChunkRange { first: 5, last: 9 }.length(), Some(5));
        assert_eq!(
            ChunkRange {
                first: 0,
                last: u64::MAX
            }
            .length(),
            None
        );
    }

    #[test]
    fn given_malformed_ranges_when_parsed_then_refused() {
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "5-4",
            "+1-2",
            "a-b",
            "1-99999999999999999999999",
        ] {
            assert_eq!(text.parse::<ChunkRange>(), Err(InvalidChunkRange), "{text:?}");
        }
    }
}
