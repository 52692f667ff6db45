//! Lengths of time with units.

use std::fmt;
use std::str::FromStr;
use std::time;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time in whole milliseconds, written with a unit: `250ms`, `30s`, `15m`, `24h`, `7d`, or `0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration {
    millis: u64,
}

/// A text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration: write an integer with ms, s, m, h or d, such as 30s")]
pub struct InvalidDuration(String);

/// Units from the largest, so that writing picks the shortest exact text.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Longer is a mistake, and timestamps far in the future overflow elsewhere.
const MAX_MILLISECONDS: u64 = 36_500 * 86_400_000;

impl Duration {
    /// This many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// This many seconds.
    pub const fn seconds(count: u32) -> Self {
        Self {
            millis: count as u64 * 1_000,
        }
    }

    /// This many minutes.
    pub const fn minutes(count: u32) -> Self {
        Self {
            millis: count as u64 * 60_000,
        }
    }

    /// This many hours.
    pub const fn hours(count: u32) -> Self {
        Self {
            millis: count as u64 * 3_600_000,
        }
    }

    /// The same length in the standard library's type.
    pub const fn get(self) -> time::Duration {
        time::Duration::from_millis(self.millis)
    }

    /// Whether it is no time at all, which switches some features off.
    pub const fn is_zero(self) -> bool {
        self.millis == 0
    }
}

impl From<Duration> for time::Duration {
    fn from(duration: Duration) -> Self {
        duration.get()
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let invalid = || InvalidDuration(text.chars().take(40).collect());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| invalid())?;
        if unit.is_empty() && number == 0 {
            return Ok(Self { millis: 0 });
        }
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| *name == unit.trim_start())
            .ok_or_else(invalid)?;
        let millis = number
            .checked_mul(*factor)
            .filter(|millis| *millis <= MAX_MILLISECONDS);
        millis.map(|millis| Self { millis }).ok_or_else(invalid)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // People say 24 hours, and days only from two on.
        let is_readable = |(unit, factor): &(&str, u64)| {
            self.millis >= *factor && (*unit != "d" || self.millis >= 2 * factor)
        };
        match UNITS
            .iter()
            .filter(|unit| is_readable(unit))
            .find(|(_, factor)| self.millis.is_multiple_of(*factor))
        {
            Some((unit, factor)) => write!(formatter, "{}{unit}", self.millis / factor),
            None => formatter.write_str("0s"),
        }
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

struct DurationVisitor;

impl de::Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a duration such as 30s")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Duration, E> {
        // A bare number has no unit; only zero means the same in all of them.
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Duration, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_durations_with_units_when_parsed_then_exact_and_they_read_back() {
        let cases = [
            ("250ms", 250, "250ms"),
            ("30s", 30_000, "30s"),
            ("90s", 90_000, "90s"),
            ("15m", 900_000, "15m"),
            ("24h", 86_400_000, "24h"),
            ("36h", 129_600_000, "36h"),
            ("7d", 604_800_000, "7d"),
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
        ];
        for (text, millis, written) in cases {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.get(), time::Duration::from_millis(millis), "{text}");
            assert_eq!(duration.to_string(), written);
            assert_eq!(written.parse(), Ok(duration));
        }
    }

    #[test]
    fn given_texts_that_are_no_duration_when_parsed_then_refused() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5h",
            "1w",
            "1 year",
            "99999999d",
            "18446744073709551615ms",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}
