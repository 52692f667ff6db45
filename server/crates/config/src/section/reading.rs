//! Reading fields: keys that a section has, and values within their bounds.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer};

use super::Value;
use crate::suggestion;

/// Reads one key of a section and refuses the ones it does not have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownKey {
    pub(crate) keys: &'static [&'static str],
    /// Keys that are refused for a reason worth telling.
    pub(crate) refused: &'static [(&'static str, &'static str)],
}

impl<'de> DeserializeSeed<'de> for KnownKey {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl de::Visitor<'_> for KnownKey {
    type Value = &'static str;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of the keys {}", self.keys.join(", "))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<&'static str, E> {
        if let Some(key) = self.keys.iter().find(|key| **key == text) {
            return Ok(key);
        }
        match self.refused.iter().find(|(key, _)| *key == text) {
            Some((key, why)) => Err(E::custom(format_args!("key {key:?} is not supported: {why}"))),
            None => Err(E::custom(suggestion::unknown("key", text, self.keys))),
        }
    }
}

/// Reads a value and checks it while its position in the file is known.
pub(crate) struct Checked<T>(pub(crate) fn(&T) -> Result<(), String>);

impl<'de, T: Deserialize<'de> + Value> DeserializeSeed<'de> for Checked<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let value = T::deserialize(deserializer)?;
        value
            .check()
            .and_then(|()| self.0(&value))
            .map_err(de::Error::custom)?;
        Ok(value)
    }
}

/// Refuses a value outside of `range`.
pub(crate) fn within<T: PartialOrd + Display>(value: &T, range: &RangeInclusive<T>) -> Result<(), String> {
    if range.contains(value) {
        return Ok(());
    }
    Err(format!("{value} is out of range, allowed: {}", range_text(range)))
}

/// A range as the reference and messages say it.
pub(crate) fn range_text<T: Display>(range: &RangeInclusive<T>) -> String {
    let (start, end) = (range.start().to_string(), range.end().to_string());
    if start == end {
        format!("only {start}")
    } else {
        format!("{start} to {end}")
    }
}
