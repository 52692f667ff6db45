//! Upload ids.

use std::fmt;
use std::str::FromStr;

use uuid::{Builder, ContextV7, Timestamp as UuidTimestamp, Uuid};

use crate::Timestamp;

/// The id of an upload: a `UUIDv7`, so ids sort by the time they were made.
///
/// The physical names of the bytes that the upload leaves behind begin with it. It is never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(Uuid);

/// A text that is no upload id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an upload id is a UUID of version 7 in lower case with hyphens")]
pub struct InvalidUploadId;

impl UploadId {
    /// The raw sixteen bytes, ordered by time.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// From the raw sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// When the id was made, by the clock of the process that made it.
    pub fn made_at(self) -> Timestamp {
        let millis = self
            .to_bytes()
            .iter()
            .take(6)
            .fold(0, |all, byte| all << 8 | u64::from(*byte));
        Timestamp::from_millis(millis)
    }

    /// An id made at `at` from random bytes.
    pub fn new(at: Timestamp, random: &[u8; 10]) -> Self {
        Self(Builder::from_unix_timestamp_millis(at.millis(), random).into_uuid())
    }
}

impl FromStr for UploadId {
    type Err = InvalidUploadId;

    fn from_str(text: &str) -> Result<Self, InvalidUploadId> {
        let id = Uuid::try_parse(text).map_err(|_| InvalidUploadId)?;
        // One spelling for one id: the parser also takes braces, URNs and upper case.
        let is_canonical = id.get_version_num() == 7 && id.hyphenated().to_string() == text;
        is_canonical.then_some(Self(id)).ok_or(InvalidUploadId)
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), formatter)
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Makes ids that no other call, process or machine makes.
pub trait IdSource: fmt::Debug + Send + Sync {
    /// A new id made at `now`.
    fn upload_id(&self, now: Timestamp) -> UploadId;
}

/// Ids from the operating system's randomness.
#[derive(Debug, Default)]
pub struct SystemIds(std::sync::Mutex<ContextV7>);

impl IdSource for SystemIds {
    fn upload_id(&self, now: Timestamp) -> UploadId {
        let context = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let nanos = u32::try_from(now.millis() % 1000).unwrap_or_default() * 1_000_000;
        UploadId(Uuid::new_v7(UuidTimestamp::from_unix(
            &*context,
            now.millis() / 1000,
            nanos,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_two_ids_of_different_times_when_sorted_then_the_older_comes_first() {
        let ids = SystemIds::default();
        let older = ids.upload_id(Timestamp::from_millis(1_700_000_000_123));
        let newer = ids.upload_id(Timestamp::from_millis(1_700_000_000_124));
        assert!(older < newer);
        assert_eq!(older.made_at(), Timestamp::from_millis(1_700_000_000_123));
    }

    #[test]
    fn given_one_id_when_written_and_read_then_equal_and_other_spellings_are_refused() {
        let id = UploadId::new(Timestamp::from_millis(1_700_000_000_000), &[7; 10]);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(UploadId::from_bytes(id.to_bytes()), id);
        for other in [
            text.to_uppercase(),
            text.replace('-', ""),
            format!("{{{text}}}"),
            "..".to_owned(),
        ] {
            assert_eq!(other.parse::<UploadId>(), Err(InvalidUploadId), "{other}");
        }
        assert_eq!(
            "67e55044-10b1-426f-9247-bb680e5fe0c8".parse::<UploadId>(),
            Err(InvalidUploadId)
        );
    }
}
