//! Who is behind a proxy: headers that are believed from trusted peers only.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::HeaderMap;
use zas_config::Network;

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The networks whose proxies are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

/// The two ends of a request's way to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Connection {
    /// Where the request comes from; none when the connection has no address.
    pub(super) client: Option<IpAddr>,
    /// Whether the client speaks TLS.
    pub(super) is_tls: bool,
}

impl TrustedProxies {
    /// Proxies in these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Who sent a request that arrived from `peer`.
    pub(super) fn connection(
        &self,
        peer: Option<SocketAddr>,
        is_tls: bool,
        headers: &HeaderMap,
    ) -> Connection {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let direct = Connection { client: peer, is_tls };
        let Some(proxy) = peer.filter(|peer| self.trusts(*peer)) else {
            return direct;
        };
        Connection {
            client: Some(self.client_behind(proxy, headers)),
            is_tls: said_tls(headers).unwrap_or(is_tls),
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Every proxy adds the address that it was called from at the end. The last address that is not a trusted proxy's
    /// is the client's: what stands before it, the client may have made up.
    fn client_behind(&self, proxy: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lists: Vec<&str> = headers
            .get_all(FORWARDED_FOR)
            .map(|value| value.to_str().unwrap_or_default())
            .collect();
        let mut nearest = proxy;
        for hop in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
            // What is no address ends the chain of those who can be believed.
            let Some(address) = address(hop.trim()) else { break };
            nearest = address;
            if !self.trusts(nearest) {
                break;
            }
        }
        nearest
    }
}

/// An address, which some proxies write with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// What the nearest proxy says last.
fn said_tls(headers: &HeaderMap) -> Option<bool> {
    let last = headers.get_all(FORWARDED_PROTO).last()?.to_str().ok()?;
    match last.rsplit(',').next().unwrap_or_default().trim() {
        scheme if scheme.eq_ignore_ascii_case("https") => Some(true),
        scheme if scheme.eq_ignore_ascii_case("http") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn connection(peer: &str, is_tls: bool, sent: &[(&'static str, &'static str)]) -> (String, bool) {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let peer = format!("{peer}:4711").parse().unwrap();
        let connection = TrustedProxies::new(networks.to_vec()).connection(Some(peer), is_tls, &headers);
        (connection.client.unwrap().to_string(), connection.is_tls)
    }

    #[test]
    fn given_a_trusted_proxy_when_it_forwards_then_the_last_untrusted_address_is_the_client() {
        for (peer, list, client) in [
            ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
            ("10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7"),
            ("10.0.0.1", "203.0.113.9, 192.0.2.7,10.0.0.2", "192.0.2.7"),
            ("10.0.0.1", "192.0.2.7:5123", "192.0.2.7"),
            ("[fd00::1]", "2001:db8::5", "2001:db8::5"),
            ("[fd00::1]", "[2001:db8::5]:443", "2001:db8::5"),
            ("[fd00::1]", "[2001:db8::5]", "2001:db8::5"),
            ("[::ffff:10.0.0.1]", "::ffff:192.0.2.7", "192.0.2.7"),
            // Nobody but proxies: the one farthest away.
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ] {
            let told = [(FORWARDED_FOR, list)];
            assert_eq!(
                connection(peer, false, &told),
                (client.to_owned(), false),
                "{list}"
            );
        }
        let several = [
            (FORWARDED_FOR, "203.0.113.9, 192.0.2.7"),
            (FORWARDED_FOR, "10.0.0.2"),
        ];
        assert_eq!(connection("10.0.0.1", false, &several).0, "192.0.2.7");
    }

    #[test]
    fn given_made_up_headers_when_sent_then_they_hide_nobody() {
        // From somebody who is no proxy.
        let made_up = [(FORWARDED_FOR, "10.0.0.9"), (FORWARDED_PROTO, "https")];
        assert_eq!(
            connection("192.0.2.7", false, &made_up),
            ("192.0.2.7".to_owned(), false)
        );
        assert_eq!(
            connection("[::ffff:192.0.2.7]", true, &made_up),
            ("192.0.2.7".to_owned(), true)
        );
        // Through a proxy that adds the real address at the end.
        let added = [
            (FORWARDED_FOR, "198.51.100.1, 10.0.0.8"),
            (FORWARDED_FOR, "192.0.2.7"),
        ];
        assert_eq!(connection("10.0.0.1", false, &added).0, "192.0.2.7");
        // Nonsense in front of what a proxy added.
        for list in ["nonsense", "", "10.0.0.5x", "192.0.2.7 10.0.0.2", "_hidden"] {
            assert_eq!(
                connection("10.0.0.1", false, &[(FORWARDED_FOR, list)]).0,
                "10.0.0.1",
                "{list}"
            );
        }
        assert_eq!(
            connection("10.0.0.1", false, &[(FORWARDED_FOR, "192.0.2.7, x, 10.0.0.2")]).0,
            "10.0.0.2"
        );
        assert_eq!(connection("10.0.0.1", true, &[]), ("10.0.0.1".to_owned(), true));
    }

    #[test]
    fn given_a_trusted_proxy_when_it_names_the_scheme_then_it_counts() {
        for (sent, is_tls, expected) in [
            ("https", false, true),
            ("HTTPS", false, true),
            ("http", true, false),
            ("http, https", false, true),
            ("gopher", false, false),
            ("gopher", true, true),
        ] {
            assert_eq!(
                connection("10.0.0.1", is_tls, &[(FORWARDED_PROTO, sent)]).1,
                expected,
                "{sent}"
            );
        }
    }

    #[test]
    fn given_a_connection_without_an_address_when_looked_at_then_nobody_is_named() {
        let connection = TrustedProxies::default().connection(None, true, &HeaderMap::new());
        assert_eq!(
            connection,
            Connection {
                client: None,
                is_tls: true
            }
        );
    }
}
