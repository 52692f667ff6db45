//! Versions of the server.

use std::fmt;
use std::str::FromStr;

/// A released version of the server, such as `0.2.0`. What follows the three numbers does not count: a preview of a
/// version knows the fields of that version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion {
    major: u64,
    minor: u64,
    patch: u64,
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a version: write three numbers joined by dots, such as 0.2.0")]
pub struct InvalidServerVersion(String);

impl FromStr for ServerVersion {
    type Err = InvalidServerVersion;

    /// Reads `0.2.0`, `v0.2.0`, `0.2.0-rc.1` and `0.2.0+build`.
    fn from_str(text: &str) -> Result<Self, InvalidServerVersion> {
        let invalid = || InvalidServerVersion(text.chars().take(80).collect());
        let numbers = text.strip_prefix('v').unwrap_or(text);
        let numbers = numbers.split(['-', '+']).next().unwrap_or_default();
        let mut parts = numbers.split('.').map(|part| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten()
        });
        let mut next = || parts.next().flatten().ok_or_else(invalid);
        let version = Self {
            major: next()?,
            minor: next()?,
            patch: next()?,
        };
        if parts.next().is_some() {
            return Err(invalid());
        }
        Ok(version)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ServerVersion {
        text.parse().unwrap()
    }

    #[test]
    fn given_versions_when_compared_then_by_number() {
        assert!(version("0.2.0") < version("0.10.0"));
        assert!(version("0.9.9") < version("1.0.0"));
        assert!(version("0.2.0") < version("0.2.1"));
        for same in ["v0.2.0", "0.2.0-rc.1", "0.2.0+build.5", "v0.2.0-1-gabc"] {
            assert_eq!(version(same), version("0.2.0"));
        }
        assert_eq!(version("1.20.3").to_string(), "1.20.3");
    }

    #[test]
    fn given_what_is_no_version_when_parsed_then_refused() {
        for text in [
            "",
            "latest",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "1..3",
            "-1.2.3",
            "1.2.+3",
            "sha256:abc",
        ] {
            assert!(text.parse::<ServerVersion>().is_err(), "{text}");
        }
    }
}
