//! The header `Host` (RFC 9112 section 3.2, RFC 3986 section 3.2.2).

/// Whether it is a name or an address with an optional port. An empty one is allowed.
pub(super) fn is_valid_host(host: &[u8]) -> bool {
    if let Some(literal) = host.strip_prefix(b"[") {
        let mut halves = literal.splitn(2, |byte| *byte == b']');
        let address = halves.next().unwrap_or_default();
        let is_address = address
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
        return is_address && !address.is_empty() && halves.next().is_some_and(is_port);
    }
    let name = host.iter().take_while(|byte| is_of_name(**byte)).count();
    host.get(name..).is_some_and(is_port)
}

fn is_port(rest: &[u8]) -> bool {
    rest.strip_prefix(b":")
        .map_or(rest.is_empty(), |port| port.iter().all(u8::is_ascii_digit))
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_values_of_host_when_looked_at_then_only_hosts_with_a_port_pass() {
        for valid in [
            "",
            "a",
            "registry.example.com:5000",
            "10.0.0.1",
            "[::1]:80",
            "[fe80::1]",
            "a_b:",
        ] {
            assert!(is_valid_host(valid.as_bytes()), "{valid}");
        }
        for invalid in [
            "a b", "a:b", "a@b", "a/b", "[::1", "[]", "[::1]x", "a:80:80", "a\tb", "ä", "a?b", "a#b",
        ] {
            assert!(!is_valid_host(invalid.as_bytes()), "{invalid}");
        }
    }
}
