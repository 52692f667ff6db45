//! Whom a request counts for.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

/// Nobody outside can choose names that collide.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Who signed in, wherever they call from; of everybody else the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Client(u64);

impl Client {
    /// The client that called from `address` and signed in as `account`, which is empty for those who did not.
    pub fn of(account: &str, address: IpAddr) -> Self {
        if account.is_empty() {
            return Self(KEY.hash_one(network(address)));
        }
        Self(KEY.hash_one(account))
    }
}

/// Whoever has an IPv6 address has all of its last 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Under which name a change is recorded, and for whom it counts.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The name; empty for anonymous.
    pub actor: &'a str,
    /// The client.
    pub client: Client,
}

impl<'a> From<&'a str> for Sender<'a> {
    /// Somebody who signed in.
    fn from(actor: &'a str) -> Self {
        Self {
            actor,
            client: Client(KEY.hash_one(actor)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_accounts_and_addresses_when_told_apart_then_an_account_is_one_everywhere_and_a_network_one_client()
     {
        let client = |account, address: &str| Client::of(account, address.parse().unwrap());
        assert_eq!(client("alice", "192.0.2.1"), client("alice", "192.0.2.2"));
        assert_eq!(client("alice", "192.0.2.1"), Sender::from("alice").client);
        assert_ne!(client("alice", "192.0.2.1"), client("bob", "192.0.2.1"));
        assert_ne!(client("", "192.0.2.1"), client("", "192.0.2.2"));
        assert_eq!(client("", "2001:db8::1"), client("", "2001:db8::2:1"));
        assert_ne!(client("", "2001:db8::1"), client("", "2001:db8:0:1::1"));
    }
}
