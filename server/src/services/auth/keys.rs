//! Keyed hashes under which findings about sign-ins are remembered.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use sha2::{Digest as _, Sha256};
use zas_config::UserName;

/// Stands for what was hashed, and says nothing about it without the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

/// Makes keys with a secret of this process.
#[derive(Clone)]
pub(super) struct Keys([u8; 32]);

impl Keys {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Of user, password and stored hash together, so that a changed hash forgets the old password.
    pub(super) fn password(&self, user: &UserName, password: &str, stored_hash: &str) -> Key {
        self.key("password", &[user.as_str(), password, stored_hash])
    }

    /// Of a token that somebody else has signed.
    pub(super) fn token(&self, token: &str) -> Key {
        self.key("token", &[token])
    }

    /// Of a user who signs in from an address. Of an IPv6 address the first 64 bits count: whoever has one address of
    /// such a network has them all.
    pub(super) fn source(&self, user: &UserName, client: IpAddr) -> Key {
        let network = match client.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
        };
        self.key("source", &[user.as_str(), &network])
    }

    /// A number that is always the same for the same user and that nobody outside can tell.
    pub(super) fn choice(&self, user: &UserName) -> u64 {
        let Key(bytes) = self.key("choice", &[user.as_str()]);
        bytes
            .iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn key(&self, purpose: &str, parts: &[&str]) -> Key {
        let mut hashing = Sha256::new_with_prefix(self.0);
        for part in [purpose].iter().chain(parts) {
            // With their lengths, so that no two lists of parts read the same.
            hashing.update((part.len() as u64).to_be_bytes());
            hashing.update(part);
        }
        Key(hashing.finalize().into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(...)")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys(...)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_ipv6_clients_when_keyed_then_the_network_counts_and_mapped_ipv4_is_ipv4() {
        let keys = Keys::new([7; 32]);
        let alice = "alice".parse().unwrap();
        let source = |client: &str| keys.source(&alice, client.parse().unwrap());
        assert_eq!(source("2001:db8:0:1::1"), source("2001:db8:0:1:ffff::9"));
        assert_ne!(source("2001:db8:0:1::1"), source("2001:db8:0:2::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
