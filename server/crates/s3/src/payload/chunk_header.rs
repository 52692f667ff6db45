//! The line before each chunk: `10000;chunk-signature=ad80...`.

use crate::error::S3Error;
use crate::hex;

/// The longest line, with its end.
pub(super) const MAX_LINE_BYTES: usize = 1024;

/// Enough digits for any content.
const MAX_SIZE_DIGITS: usize = 16;

/// A chunk that is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkHeader {
    pub(super) size: u64,
    pub(super) signature: Option<[u8; 32]>,
}

impl ChunkHeader {
    /// Reads a line without its end.
    pub(super) fn parse(line: &[u8]) -> Result<Self, S3Error> {
        let text = std::str::from_utf8(line).map_err(|_| malformed())?;
        let (size, extension) = match text.split_once(';') {
            Some((size, extension)) => (size, Some(extension)),
            None => (text, None),
        };
        let is_hex = size.bytes().all(|byte| byte.is_ascii_hexdigit());
        if size.is_empty() || size.len() > MAX_SIZE_DIGITS || !is_hex {
            return Err(malformed());
        }
        let size = u64::from_str_radix(size, 16).map_err(|_| malformed())?;
        let signature = extension.map(signature).transpose()?;
        Ok(Self { size, signature })
    }
}

fn signature(extension: &str) -> Result<[u8; 32], S3Error> {
    let signature = extension.strip_prefix("chunk-signature=");
    signature.and_then(hex::decode).ok_or_else(malformed)
}

pub(super) fn malformed() -> S3Error {
    S3Error::invalid_request("The chunks of the payload are malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_lines_when_parsed_then_a_size_and_perhaps_a_signature() {
        let line = format!("400;chunk-signature={}", "ab".repeat(32));
        let header = ChunkHeader::parse(line.as_bytes()).unwrap();
        assert_eq!((header.size, header.signature), (1024, Some([0xab; 32])));
        assert_eq!(
            ChunkHeader::parse(b"FfF").unwrap(),
            ChunkHeader {
                size: 4095,
                signature: None
            }
        );
        for line in [
            "",
            ";",
            "-1",
            "+1",
            "0x1",
            "g",
            "1 ",
            "11111111111111111",
            "1;",
            "1;a=b",
            "1;chunk-signature=ab",
            "\u{e9}",
        ] {
            assert!(ChunkHeader::parse(line.as_bytes()).is_err(), "{line}");
        }
    }
}
