//! Physical names: what stored bytes are found by.

use std::fmt;
use std::str::FromStr;

use crate::UploadId;

/// The name of a run of stored bytes. One writer writes it, once, and nobody ever uses it again.
///
/// Names of one upload sort in the order in which they can have been written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocationName {
    /// The upload that brought the bytes.
    pub upload: UploadId,
    /// The start of the metadata store in which the writer claimed the upload. A claim that was lost with the power
    /// was made in an earlier start than every later one, so its names are not used again.
    pub start: u64,
    /// The writer's claim of the upload.
    pub epoch: u64,
    /// Which of the writer's runs it is, from zero on.
    pub ordinal: u32,
}

/// A text that is no physical name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a physical name is an upload id and three numbers, joined by dots")]
pub struct InvalidLocationName;

impl LocationName {
    /// The length of [`Self::to_bytes`].
    pub const BYTES: usize = 36;

    /// Bytes that sort like the names.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = [
            &self.upload.to_bytes()[..],
            &self.start.to_be_bytes(),
            &self.epoch.to_be_bytes(),
            &self.ordinal.to_be_bytes(),
        ];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// From the bytes of [`Self::to_bytes`]; `None` for another number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (upload, rest) = bytes.split_first_chunk::<16>()?;
        let (start, rest) = rest.split_first_chunk::<8>()?;
        let (epoch, ordinal) = rest.split_first_chunk::<8>()?;
        Some(Self {
            upload: UploadId::from_bytes(*upload),
            start: u64::from_be_bytes(*start),
            epoch: u64::from_be_bytes(*epoch),
            ordinal: u32::from_be_bytes(ordinal.try_into().ok()?),
        })
    }
}

impl FromStr for LocationName {
    type Err = InvalidLocationName;

    fn from_str(text: &str) -> Result<Self, InvalidLocationName> {
        let parse = || {
            let mut parts = text.split('.');
            let name = Self {
                upload: parts.next()?.parse().ok()?,
                start: parts.next()?.parse().ok()?,
                epoch: parts.next()?.parse().ok()?,
                ordinal: parts.next()?.parse().ok()?,
            };
            // One spelling for one name: numbers may also be written with a sign or zeros before them.
            (name.to_string() == text).then_some(name)
        };
        parse().ok_or(InvalidLocationName)
    }
}

impl fmt::Display for LocationName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            upload,
            start,
            epoch,
            ordinal,
        } = self;
        write!(formatter, "{upload}.{start}.{epoch}.{ordinal}")
    }
}

impl fmt::Debug for LocationName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn name(start: u64, epoch: u64, ordinal: u32) -> LocationName {
        LocationName {
            upload: UploadId::new(Timestamp::from_millis(1_700_000_000_000), &[7; 10]),
            start,
            epoch,
            ordinal,
        }
    }

    #[test]
    fn given_any_name_when_written_and_read_then_equal_and_its_bytes_sort_like_it() {
        let mut names = Vec::new();
        for start in [0, 1, 9, 10, u64::MAX] {
            for epoch in [1, 2, 300, u64::MAX] {
                for ordinal in [0, 9, 10, u32::MAX] {
                    names.push(name(start, epoch, ordinal));
                }
            }
        }
        assert!(names.is_sorted());
        assert!(names.iter().map(|name| name.to_bytes()).is_sorted());
        for name in names {
            assert_eq!(name.to_string().parse(), Ok(name));
            assert_eq!(LocationName::from_bytes(&name.to_bytes()), Some(name));
        }
    }

    #[test]
    fn given_another_spelling_when_read_then_refused() {
        let text = name(1, 2, 3).to_string();
        let upload = name(1, 2, 3).upload;
        for other in [
            text.to_uppercase(),
            format!("{text}.4"),
            format!("{upload}"),
            format!("{upload}.1.2"),
            format!("{upload}.01.2.3"),
            format!("{upload}.+1.2.3"),
            format!("{upload}.1.2.-3"),
            format!("{upload}.1.2.4294967296"),
            "..".to_owned(),
        ] {
            assert_eq!(other.parse::<LocationName>(), Err(InvalidLocationName), "{other}");
        }
        for length in [0, 16, 35, 37] {
            assert_eq!(LocationName::from_bytes(&vec![1; length]), None);
        }
    }
}
