//! Sizes with units.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of bytes, written as an integer or with a unit: `512`, `64KiB`, `4MiB`, `1GiB`, `2TiB`, `1MB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(u64);

/// A text that is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a size: write bytes as an integer, or an integer with B, KiB, MiB, GiB, TiB, kB, MB, GB or TB"
)]
pub struct InvalidByteSize(String);

/// Units from the largest, so that writing picks the shortest exact text.
const BINARY: [(&str, u64); 4] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];
const DECIMAL: [(&str, u64); 5] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl ByteSize {
    /// This many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// This many kibibytes.
    pub const fn kib(count: u32) -> Self {
        Self((count as u64) << 10)
    }

    /// This many mebibytes.
    pub const fn mib(count: u32) -> Self {
        Self((count as u64) << 20)
    }

    /// This many gibibytes.
    pub const fn gib(count: u32) -> Self {
        Self((count as u64) << 30)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length in memory; the largest length where it does not fit.
    pub fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    fn from_str(text: &str) -> Result<Self, InvalidByteSize> {
        let invalid = || InvalidByteSize(text.chars().take(40).collect());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| invalid())?;
        let unit = unit.trim_start();
        if unit.is_empty() {
            return Ok(Self(number));
        }
        let (_, factor) = BINARY
            .iter()
            .chain(&DECIMAL)
            .find(|(name, _)| *name == unit)
            .ok_or_else(invalid)?;
        number.checked_mul(*factor).map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match BINARY
            .iter()
            .find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor))
        {
            Some((unit, factor)) => write!(formatter, "{}{unit}", self.0 / factor),
            None => write!(formatter, "{}", self.0),
        }
    }
}

impl fmt::Debug for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl de::Visitor<'_> for SizeVisitor {
    type Value = ByteSize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a size such as 4MiB")
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
        Ok(ByteSize(bytes))
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
        u64::try_from(bytes)
            .map(ByteSize)
            .map_err(|_| E::custom(InvalidByteSize(bytes.to_string())))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_sizes_with_units_when_parsed_then_exact_bytes() {
        let cases = [
            ("0", 0),
            ("512", 512),
            ("1B", 1),
            ("1KiB", 1024),
            ("4MiB", 4 << 20),
            ("4 MiB", 4 << 20),
            ("1GiB", 1 << 30),
            ("2TiB", 2 << 40),
            ("1kB", 1_000),
            ("3MB", 3_000_000),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn given_texts_that_are_no_size_when_parsed_then_refused() {
        for text in [
            "",
            "MiB",
            "-1",
            "1.5GiB",
            "1kib",
            "1KB",
            "1 M",
            "99999999999TiB",
            "18446744073709551616",
            "1e3",
        ] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn given_a_size_when_written_then_the_largest_exact_unit_is_used_and_it_reads_back() {
        for (size, text) in [
            (ByteSize::mib(4), "4MiB"),
            (ByteSize::kib(1536), "1536KiB"),
            (ByteSize(1000), "1000"),
            (ByteSize(0), "0"),
            (ByteSize::gib(2048), "2TiB"),
        ] {
            assert_eq!(size.to_string(), text);
            assert_eq!(text.parse(), Ok(size));
        }
    }
}
