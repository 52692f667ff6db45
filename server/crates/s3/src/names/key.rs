//! Object keys are those of the whole store; their refusal is ours.

pub use zas_core::{InvalidKey, MAX_KEY_BYTES, ObjectKey};

use crate::error::{ErrorCode, S3Error};

impl From<InvalidKey> for S3Error {
    fn from(invalid: InvalidKey) -> Self {
        match invalid {
            InvalidKey::Empty => Self::invalid_request("The key must not be empty"),
            InvalidKey::TooLong { bytes } => Self::new(ErrorCode::KeyTooLongError)
                .with("Size", bytes.to_string())
                .with("MaxSizeAllowed", MAX_KEY_BYTES.to_string()),
            InvalidKey::NotUtf8 => Self::with_message(
                ErrorCode::InvalidURI,
                "Couldn't parse the specified URI: the key must be UTF-8.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_bytes_that_are_no_key_when_parsed_then_the_error_that_clients_know() {
        let code = |bytes: &[u8]| S3Error::from(ObjectKey::from_bytes(bytes).unwrap_err()).code();
        assert_eq!(code(b""), ErrorCode::InvalidRequest);
        assert_eq!(code(&[b'k'; 1025]), ErrorCode::KeyTooLongError);
        assert_eq!(code(b"\xff"), ErrorCode::InvalidURI);
    }
}
