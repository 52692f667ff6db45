//! Sizes and durations: strings in the resource, numbers for the operator.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Why a size or a duration has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    text: String,
    expected: &'static str,
}

impl fmt::Display for ValueError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\" is not {}", self.text, self.expected)
    }
}

impl std::error::Error for ValueError {}

/// A number of bytes such as `100Gi`: a whole number above zero, with a unit of 1000 (`k M G T P`) or of 1024
/// (`Ki Mi Gi Ti Pi`).
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Size(String);

impl Size {
    /// Takes the text as it is; whether it is a size is told by [`Size::bytes`].
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it was stated, which is also a Kubernetes quantity.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of bytes.
    ///
    /// # Errors
    /// When the text does not follow the grammar of the schema or the number needs more than 63 bits.
    pub fn bytes(&self) -> Result<u64, ValueError> {
        self.parsed().ok_or_else(|| ValueError {
            text: self.0.clone(),
            expected: "a size below 8Ei: write a whole number above zero with a unit, such as 100Gi",
        })
    }

    fn parsed(&self) -> Option<u64> {
        let end = self
            .0
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, unit) = self.0.split_at_checked(end)?;
        let well_formed = (1..=15).contains(&digits.len()) && !digits.starts_with('0');
        let bytes = digits.parse::<u64>().ok()?.checked_mul(unit_bytes(unit)?)?;
        (well_formed && i64::try_from(bytes).is_ok()).then_some(bytes)
    }
}

fn unit_bytes(unit: &str) -> Option<u64> {
    Some(match unit {
        "" => 1,
        "k" => 1000,
        "M" => 1000_u64.pow(2),
        "G" => 1000_u64.pow(3),
        "T" => 1000_u64.pow(4),
        "P" => 1000_u64.pow(5),
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "Pi" => 1 << 50,
        _ => return None,
    })
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 20 })
    }
}

/// A duration such as `24h` or `1h30m`, with the units `ms`, `s`, `m` and `h`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct TimeSpan(String);

impl TimeSpan {
    /// Takes the text as it is; whether it is a duration is told by [`TimeSpan::duration`].
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it was stated.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The duration.
    ///
    /// # Errors
    /// When the text does not follow the grammar of the schema.
    pub fn duration(&self) -> Result<Duration, ValueError> {
        self.milliseconds()
            .map(Duration::from_millis)
            .ok_or_else(|| ValueError {
                text: self.0.clone(),
                expected: "a duration: write whole numbers with the units h, m, s and ms, such as 1h30m",
            })
    }

    /// The same duration with each unit once and in descending order, as Prometheus wants it: `90m` is `1h30m`.
    ///
    /// # Errors
    /// As [`TimeSpan::duration`].
    pub fn canonical(&self) -> Result<String, ValueError> {
        let milliseconds = u64::try_from(self.duration()?.as_millis()).unwrap_or(u64::MAX);
        let parts = [
            (milliseconds / 3_600_000, "h"),
            (milliseconds / 60_000 % 60, "m"),
            (milliseconds / 1000 % 60, "s"),
            (milliseconds % 1000, "ms"),
        ];
        let text: String = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| format!("{count}{unit}"))
            .collect();
        Ok(if text.is_empty() { "0s".to_owned() } else { text })
    }

    fn milliseconds(&self) -> Option<u64> {
        let mut rest = self.0.as_str();
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
            let (count, tail) = rest.split_at_checked(digits)?;
            let length = tail
                .find(|letter: char| letter.is_ascii_digit())
                .unwrap_or(tail.len());
            let (unit, next) = tail.split_at_checked(length)?;
            let (milliseconds, most_digits) = time_unit(unit)?;
            if digits > most_digits {
                return None;
            }
            total = total.checked_add(count.parse::<u64>().ok()?.checked_mul(milliseconds)?)?;
            rest = next;
        }
        (!self.0.is_empty()).then_some(total)
    }
}

/// The milliseconds of a unit, and how many digits its number may have: together they are too few to overflow a clock.
fn time_unit(unit: &str) -> Option<(u64, usize)> {
    Some(match unit {
        "ms" => (1, 12),
        "s" => (1000, 9),
        "m" => (60_000, 7),
        "h" => (3_600_000, 5),
        _ => return None,
    })
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl JsonSchema for TimeSpan {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 32 })
    }
}
