//! Bucket names are those of the whole store; their refusal is ours.

pub use zas_core::{BucketName, InvalidBucketName};

use crate::error::{ErrorCode, S3Error};

impl From<InvalidBucketName> for S3Error {
    fn from(invalid: InvalidBucketName) -> Self {
        Self::new(ErrorCode::InvalidBucketName).with("BucketName", invalid.into_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_against_a_rule_when_parsed_then_invalid_bucket_name() {
        for name in ["ab", "Abc", "a..b"] {
            let error = S3Error::from(name.parse::<BucketName>().unwrap_err());
            assert_eq!(error.code(), ErrorCode::InvalidBucketName, "{name}");
            assert_eq!(error.element("BucketName"), Some(name));
        }
    }
}
