//! Storage classes: there is one.

use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;

/// The class of every object.
pub const STANDARD: &str = "STANDARD";

/// Checks `x-amz-storage-class`. Another class would promise what is not kept.
///
/// # Errors
/// `InvalidStorageClass`.
pub fn check_storage_class(headers: &Headers<'_>) -> Result<(), S3Error> {
    match headers.text("x-amz-storage-class")? {
        None | Some(STANDARD) => Ok(()),
        Some(other) => Err(S3Error::new(ErrorCode::InvalidStorageClass).with("StorageClassRequested", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_storage_class_when_it_is_not_the_one_then_refused() {
        let check = |class: &str| {
            let headers: Headers<'_> = [("x-amz-storage-class", class.as_bytes())].into_iter().collect();
            check_storage_class(&headers).map_err(|error| error.code())
        };
        assert_eq!(check("STANDARD"), Ok(()));
        assert_eq!(check_storage_class(&Headers::default()), Ok(()));
        for class in ["GLACIER", "standard", ""] {
            assert_eq!(check(class), Err(ErrorCode::InvalidStorageClass), "{class}");
        }
    }
}
