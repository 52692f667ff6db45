//! Bucket names (user guide, "General purpose bucket naming rules").

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

const MIN_BYTES: usize = 3;
const MAX_BYTES: usize = 63;

/// What AWS keeps for itself.
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// The name of a bucket: 3 to 63 of `[a-z0-9.-]`, beginning and ending with a letter or a digit, without two dots
/// in a row, not an IPv4 address, without AWS's reserved beginnings and ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

/// The text is no bucket name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no bucket name: use 3 to 63 lower-case letters, digits, dots and hyphens")]
pub struct InvalidBucketName {
    name: String,
}

impl InvalidBucketName {
    /// The text that is no name.
    pub fn into_text(self) -> String {
        self.name
    }
}

impl BucketName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = InvalidBucketName;

    fn from_str(name: &str) -> Result<Self, InvalidBucketName> {
        if is_valid(name) {
            return Ok(Self(name.to_owned()));
        }
        Err(InvalidBucketName {
            name: name.to_owned(),
        })
    }
}

fn is_valid(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    (MIN_BYTES..=MAX_BYTES).contains(&name.len())
        && name.bytes().all(is_allowed)
        && is_edge(name.bytes().next())
        && is_edge(name.bytes().next_back())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

impl fmt::Display for BucketName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_within_the_rules_when_parsed_then_accepted() {
        for name in [
            "abc",
            "a.b",
            "1bucket",
            "192.168.5",
            "my-bucket.logs",
            &"a".repeat(63),
        ] {
            assert_eq!(name.parse::<BucketName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn given_names_against_a_rule_when_parsed_then_refused_with_the_text() {
        for name in [
            "",
            "ab",
            "v2",
            "_",
            "Abc",
            "a_b",
            "a b",
            "-abc",
            "abc-",
            ".abc",
            "abc.",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "sthree-abc",
            "abc-s3alias",
            "abc--ol-s3",
            "bücket",
            &"a".repeat(64),
        ] {
            assert_eq!(name.parse::<BucketName>().unwrap_err().into_text(), name);
        }
    }
}
