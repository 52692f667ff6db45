//! Networks of IP addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::text::serde_as_text;

/// A network in CIDR notation: an address and how many of its bits all addresses of the network share.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// It has another form.
    #[error(
        "{0:?} is not a network: write an IP address, a slash and the number of common bits, such as 10.0.0.0/8"
    )]
    Malformed(String),
    /// The address has bits beyond the common ones, so something else was probably meant.
    #[error("{written} has bits beyond its prefix: write {meant}")]
    HostBits {
        /// As it was written.
        written: String,
        /// The network around it.
        meant: Network,
    },
}

impl Network {
    /// Whether an address belongs to it. An IPv4 address counts as such also when it is written as an IPv6 one.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (common, address) = (bits(self.address), address.to_canonical());
        self.address.is_ipv4() == address.is_ipv4() && self.masked(bits(address)) == common
    }

    /// The bits that all addresses of the network share.
    fn masked(&self, bits: u128) -> u128 {
        let width = if self.address.is_ipv4() { 32 } else { 128 };
        let others = u32::from(width - self.prefix);
        bits.checked_shr(others)
            .and_then(|common| common.checked_shl(others))
            .unwrap_or(0)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn address(bits: u128, like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(bits).unwrap_or_default().into()),
        IpAddr::V6(_) => IpAddr::V6(bits.into()),
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let malformed = || InvalidNetwork::Malformed(text.chars().take(80).collect());
        let (start, prefix) = text.split_once('/').ok_or_else(malformed)?;
        let start: IpAddr = start.parse().map_err(|_| malformed())?;
        let widest = if start.is_ipv4() { 32 } else { 128 };
        let is_number = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u8 = prefix.parse().map_err(|_| malformed())?;
        if !is_number || prefix > widest {
            return Err(malformed());
        }
        let network = Self {
            address: start,
            prefix,
        };
        let meant = address(network.masked(bits(start)), start);
        if meant != start {
            return Err(InvalidNetwork::HostBits {
                written: text.to_owned(),
                meant: Self {
                    address: meant,
                    prefix,
                },
            });
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

serde_as_text!(Network);

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        network
            .parse::<Network>()
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn given_networks_when_asked_then_their_addresses_and_no_others_belong_to_them() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.1.2.3/32", "10.1.2.3", "10.1.2.2"),
            ("172.16.0.0/12", "172.31.255.255", "172.32.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.1.1", "::10.1.1.1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1/128", "::1", "::2"),
        ] {
            assert!(contains(network, inside), "{network} {inside}");
            assert!(!contains(network, outside), "{network} {outside}");
            assert_eq!(network.parse::<Network>().unwrap().to_string(), network);
        }
        assert!(contains("0.0.0.0/0", "1.2.3.4") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "2001:db8::1") && !contains("::/0", "1.2.3.4"));
    }

    #[test]
    fn given_what_is_no_network_when_parsed_then_refused_with_what_to_write() {
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "a/8",
            "10.0.0.0/8/8",
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(matches!(error, InvalidNetwork::Malformed(_)), "{text}");
        }
        for (text, meant) in [("10.0.0.1/8", "10.0.0.0/8"), ("fd00::1/8", "fd00::/8")] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.ends_with(&format!("write {meant}")), "{error}");
        }
    }
}
