//! Whom a request counts for.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

use crate::services::auth::Actor;

/// Nobody outside can choose names that collide.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Who signed in, wherever they call from; of everybody else the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Client(u64);

impl Client {
    /// The client that called from `address` and signed in as `account`, if it did.
    pub fn of(account: Option<&Actor>, address: IpAddr) -> Self {
        Self(account.map_or_else(|| KEY.hash_one(network(address)), |account| KEY.hash_one(account)))
    }
}

/// Whoever has an IPv6 address has all of its last 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_accounts_and_addresses_when_told_apart_then_an_account_is_one_everywhere_and_a_network_one_client()
     {
        let (alice, bob) = (
            Actor::local(&"alice".parse().unwrap()),
            Actor::local(&"bob".parse().unwrap()),
        );
        let federated = Actor::new("https://id.example", "alice").unwrap();
        let client = |account, address: &str| Client::of(account, address.parse().unwrap());
        assert_eq!(
            client(Some(&alice), "192.0.2.1"),
            client(Some(&alice), "192.0.2.2")
        );
        assert_ne!(client(Some(&alice), "192.0.2.1"), client(Some(&bob), "192.0.2.1"));
        assert_ne!(
            client(Some(&alice), "192.0.2.1"),
            client(Some(&federated), "192.0.2.1")
        );
        assert_ne!(client(None, "192.0.2.1"), client(None, "192.0.2.2"));
        assert_eq!(client(None, "2001:db8::1"), client(None, "2001:db8::2:1"));
        assert_ne!(client(None, "2001:db8::1"), client(None, "2001:db8:0:1::1"));
    }
}
