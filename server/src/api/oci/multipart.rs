//! Several ranges in one answer: `multipart/byteranges` (RFC 9110 section 14.6).

use bytes::Bytes;
use zas_core::{ByteRange, Digest};

/// What separates the parts. It follows from the content's digest, so the content cannot contain it by accident or
/// on purpose: who could write it there could find preimages.
pub(super) struct Boundary(String);

impl Boundary {
    pub(super) fn of(digest: &Digest) -> Self {
        // At most 70 characters are allowed (RFC 2046 section 5.1.1).
        Self(digest.hex().chars().take(40).collect())
    }

    /// The `Content-Type` of the answer.
    pub(super) fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.0)
    }

    /// Each part with what stands in front of its bytes.
    pub(super) fn parts(&self, ranges: Vec<ByteRange>, size: u64) -> Vec<(Bytes, ByteRange)> {
        let mut separator = "";
        let parts = ranges.into_iter().map(|range| {
            let head = format!(
                "{separator}--{}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {}-{}/{size}\r\n\r\n",
                self.0,
                range.start,
                range.last(),
            );
            separator = "\r\n";
            (Bytes::from(head), range)
        });
        parts.collect()
    }

    /// What follows the last part.
    pub(super) fn end(&self) -> Bytes {
        Bytes::from(format!("\r\n--{}--\r\n", self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::body::to_bytes;

    use super::*;
    use crate::api::body::{BlobStream, ReadAhead};
    use crate::services::capacity::{Client, Shares};
    use crate::services::registry::BlobBody;

    #[actix_web::test]
    async fn given_two_ranges_when_sent_then_each_stands_behind_its_head() {
        let content = Bytes::from_static(b"0123456789");
        let boundary = Boundary::of(&Digest::sha256_of(&content));
        let ranges = [(7, 3), (0, 1)].map(|(start, length)| ByteRange { start, length });
        let parts = boundary.parts(ranges.to_vec(), 10);

        let ahead = ReadAhead {
            chunk: 2,
            memory: Arc::new(Shares::new(0)),
            client: Client::default(),
        };
        let body = BlobStream::multipart(&BlobBody::Inline(content), parts, boundary.end(), ahead);
        let sent = to_bytes(body).await.unwrap();

        let separator = "84d89877f0d4041efb6bf91a16f0248f2fd573e6";
        let expected = format!(
            "--{separator}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 7-9/10\r\n\r\n789\r\n\
             --{separator}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n\
             --{separator}--\r\n"
        );
        assert_eq!(String::from_utf8_lossy(&sent), expected);
    }
}
