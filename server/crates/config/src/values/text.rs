//! Single texts that are valid by construction.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// Implements serde and the shared text traits for a type that has `FromStr`, `Display` and its own error.
macro_rules! serde_as_text {
    ($Type:ty) => {
        impl serde::Serialize for $Type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $Type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }

        impl std::fmt::Debug for $Type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, formatter)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Where a listener waits: an IP address and a port. Port 0 picks a free one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListenAddress(SocketAddr);

/// A text that is no listen address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a listen address: write an IP address and a port, such as 127.0.0.1:8080 or [::]:8080")]
pub struct InvalidListenAddress(String);

impl ListenAddress {
    /// From an address that is already parsed.
    pub const fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    /// The address to bind.
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for ListenAddress {
    type Err = InvalidListenAddress;

    fn from_str(text: &str) -> Result<Self, InvalidListenAddress> {
        text.parse()
            .map(Self)
            .map_err(|_| InvalidListenAddress(shorten(text)))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

serde_as_text!(ListenAddress);

/// A domain name in lower case, without a port and without a dot at its end.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DomainName(Box<str>);

/// A text that is no domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a domain name: write one in lower case without a port, such as s3.example.org")]
pub struct InvalidDomainName(String);

impl DomainName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainName {
    type Err = InvalidDomainName;

    fn from_str(text: &str) -> Result<Self, InvalidDomainName> {
        let is_label = |label: &str| {
            let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(is_allowed)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_name = text.len() <= 253 && text.split('.').all(is_label);
        is_name
            .then(|| Self(text.into()))
            .ok_or_else(|| InvalidDomainName(shorten(text)))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

serde_as_text!(DomainName);

/// The address clients use: `http` or `https`, a host, an optional port, and nothing after it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExternalUrl(Box<str>);

/// A web origin that browsers may call from: `*`, or a scheme, a host and an optional port.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an origin: write http:// or https:// with a host and an optional port, and nothing after it"
)]
pub struct InvalidOrigin(String);

impl ExternalUrl {
    /// The address without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether clients reach the server over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl Origin {
    /// The origin as browsers send it, or `*`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for every origin.
    pub fn is_any(&self) -> bool {
        &*self.0 == "*"
    }
}

impl FromStr for ExternalUrl {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let origin = text.strip_suffix('/').unwrap_or(text);
        is_origin(origin)
            .then(|| Self(origin.into()))
            .ok_or_else(|| InvalidOrigin(shorten(text)))
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let is_allowed = text == "*" || is_origin(text);
        is_allowed
            .then(|| Self(text.into()))
            .ok_or_else(|| InvalidOrigin(shorten(text)))
    }
}

/// Lower case only: browsers send origins that way and the comparison is exact.
fn is_origin(text: &str) -> bool {
    let Some(authority) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
            ("v6", port.strip_prefix(':'))
        }
        Some(_) => return false,
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_closed = !authority.starts_with('[') || authority.ends_with(']') || port.is_some();
    let is_host = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let is_port =
        port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0) && !port.starts_with('+'));
    is_closed && is_host && is_port
}

/// The name of a user, as rules have it. Local users have it in front of the colon of Basic credentials (RFC 7617, section
/// 2), so theirs has no colon; the names of other issuers' users have one behind their prefix.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Box<str>);

/// The name of a group of users.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Box<str>);

/// A text that names no user and no group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a name: use 1 to 255 bytes without control characters, not starting or ending in a space or a colon"
)]
pub struct InvalidName(String);

fn is_name(text: &str) -> bool {
    let has_length = (1..=255).contains(&text.len());
    let has_ends = text.trim() == text && !text.starts_with(':') && !text.ends_with(':');
    has_length && has_ends && !text.chars().any(char::is_control)
}

impl UserName {
    /// Whether a user of this server's own can have it: it has no colon.
    pub fn is_local(&self) -> bool {
        !self.0.contains(':')
    }
}

impl GroupName {
    /// Whether it is written as that of a role or a group of another issuer: a word, a colon and the name.
    pub fn is_of_issuer(&self) -> bool {
        self.0.contains(':')
    }
}

macro_rules! name {
    ($Type:ty) => {
        impl $Type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $Type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                is_name(text)
                    .then(|| Self(text.into()))
                    .ok_or_else(|| InvalidName(shorten(text)))
            }
        }

        impl std::borrow::Borrow<str> for $Type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $Type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        serde_as_text!($Type);
    };
}

name!(UserName);
name!(GroupName);

impl fmt::Display for ExternalUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

serde_as_text!(ExternalUrl);
serde_as_text!(Origin);

/// What an error quotes: enough to find the text, never a flood.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_addresses_when_parsed_then_only_ip_and_port_are_accepted() {
        for text in ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:9090"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "8080",
            ":8080",
            "localhost:8080",
            "127.0.0.1",
            "127.0.0.1:65536",
            "::1:80",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn given_origins_when_parsed_then_scheme_host_and_port_and_nothing_more() {
        for text in [
            "https://ui.example.com",
            "http://localhost:3000",
            "https://[::1]:8443",
            "http://[::1]",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), text);
        }
        assert!("*".parse::<Origin>().unwrap().is_any());
        for text in [
            "",
            "ui.example.com",
            "ftp://x",
            "https://",
            "https://a/b",
            "https://a/",
            "https://A.example",
            "https://a:0",
            "https://a:70000",
            "https://a:+80",
            "https://user@a",
            "https://*.example.com",
            "https://[::1",
            "https://[::1]x",
            "https://[x]",
            "https://a?b",
            "https://a#b",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn given_an_external_url_with_a_slash_at_the_end_when_parsed_then_it_is_dropped() {
        let url: ExternalUrl = "https://registry.example.com/".parse().unwrap();
        assert_eq!(url.as_str(), "https://registry.example.com");
        assert!(url.is_https());
        assert!("*".parse::<ExternalUrl>().is_err());
    }

    #[test]
    fn given_names_when_parsed_then_no_control_characters_outer_spaces_or_outer_colons() {
        for text in ["alice", "ci bot", "kc:alice", "jürgen", "a@b.c"] {
            assert!(text.parse::<UserName>().is_ok(), "{text}");
        }
        for text in ["", " a", "a ", ":a", "a:", "a\nb", "a\0", &"x".repeat(256)] {
            assert!(text.parse::<UserName>().is_err(), "{text:?}");
            assert!(text.parse::<GroupName>().is_err(), "{text:?}");
        }
    }
}
