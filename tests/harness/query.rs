//! Adding query parameters to an address that may have some already.

/// `location` with `parameters` appended, percent-encoded. What the location has already is kept untouched.
pub fn with_query(location: &str, parameters: &[(&str, &str)]) -> String {
    let mut address = location.to_owned();
    for (name, value) in parameters {
        let separator = if address.contains('?') { '&' } else { '?' };
        address.push(separator);
        address.push_str(&encode(name));
        address.push('=');
        address.push_str(&encode(value));
    }
    address
}

fn encode(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
    let encoded = text.bytes().map(|byte| {
        if is_plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_location_with_a_query_when_extended_then_both_remain() {
        assert_eq!(
            with_query("/u?state=a", &[("digest", "sha256:1")]),
            "/u?state=a&digest=sha256:1"
        );
        assert_eq!(
            with_query("/u", &[("artifactType", "a/b+c d")]),
            "/u?artifactType=a/b%2Bc%20d"
        );
    }
}
