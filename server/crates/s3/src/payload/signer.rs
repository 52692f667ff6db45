//! The chain of chunk signatures (API reference, "Transferring Payload in Multiple Chunks").

use std::fmt;

use crate::hex;
use crate::sigv4::SigningKey;

/// The SHA-256 of nothing.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Verifies one signature after the other; each covers the one before it.
pub(crate) struct ChunkSigner {
    key: SigningKey,
    time: String,
    scope: String,
    previous: [u8; 32],
}

impl ChunkSigner {
    /// Begins with the signature of the head.
    pub(crate) fn new(key: SigningKey, time: String, scope: String, seed: [u8; 32]) -> Self {
        Self {
            key,
            time,
            scope,
            previous: seed,
        }
    }

    /// Whether the next chunk, whose data have this SHA-256, is signed so.
    pub(crate) fn accepts_chunk(&mut self, data: [u8; 32], signature: [u8; 32]) -> bool {
        let text = format!(
            "{}\n{EMPTY_SHA256}\n{}",
            self.beginning("PAYLOAD"),
            hex::encode(&data)
        );
        self.accepts(&text, signature)
    }

    /// Whether the headers behind the last chunk, whose canonical form has this SHA-256, are signed so.
    pub(crate) fn accepts_trailer(&mut self, trailer: [u8; 32], signature: [u8; 32]) -> bool {
        let text = format!("{}\n{}", self.beginning("TRAILER"), hex::encode(&trailer));
        self.accepts(&text, signature)
    }

    fn beginning(&self, kind: &str) -> String {
        let previous = hex::encode(&self.previous);
        format!(
            "AWS4-HMAC-SHA256-{kind}\n{}\n{}\n{previous}",
            self.time, self.scope
        )
    }

    fn accepts(&mut self, text: &str, signature: [u8; 32]) -> bool {
        self.previous = signature;
        self.key.signed(text, &signature)
    }
}

impl fmt::Debug for ChunkSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ChunkSigner(..)")
    }
}
