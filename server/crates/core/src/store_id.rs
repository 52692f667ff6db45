//! The identity of a store.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::UploadId;

/// Says that rows and bytes belong together: the first start of a store writes one into both.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId(Uuid);

/// A text that is no store id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a store id is a UUID in lower case with hyphens")]
pub struct InvalidStoreId;

impl StoreId {
    /// From an id that nobody else has.
    pub fn new(unique: UploadId) -> Self {
        Self(Uuid::from_bytes(unique.to_bytes()))
    }
}

impl FromStr for StoreId {
    type Err = InvalidStoreId;

    fn from_str(text: &str) -> Result<Self, InvalidStoreId> {
        let id = Uuid::try_parse(text).map_err(|_| InvalidStoreId)?;
        // One spelling for one id: the parser also takes braces, URNs and upper case.
        let is_canonical = id.hyphenated().to_string() == text;
        is_canonical.then_some(Self(id)).ok_or(InvalidStoreId)
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), formatter)
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn given_a_store_id_when_written_and_read_then_equal_and_other_spellings_are_refused() {
        let id = StoreId::new(UploadId::new(Timestamp::from_millis(1), &[0xab; 10]));
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        for other in [text.to_uppercase(), text.replace('-', ""), String::new()] {
            assert_eq!(other.parse::<StoreId>(), Err(InvalidStoreId), "{other}");
        }
    }
}
