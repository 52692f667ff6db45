//! Hashes that tell whether something changed.

use sha2::{Digest, Sha256};

/// SHA-256.
pub fn of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The first forty bits of SHA-256 in ten hexadecimal digits, for names.
pub fn short(bytes: &[u8]) -> String {
    of(bytes)
        .iter()
        .take(5)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Forty bits in hexadecimal of the JSON of a value.
pub fn of_json(value: &serde_json::Value) -> String {
    short(value.to_string().as_bytes())
}
