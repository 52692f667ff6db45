//! Where a request shows a token.

use crate::services::auth::basic::{self, Credentials};
use crate::services::auth::{AuthenticationError, RequestHead};

/// Longest token taken, in bytes. Those of Keycloak with hundreds of roles stay below.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

const SCHEME: &[u8] = b"bearer";

/// The token that a request shows as `Bearer`, or as the password of `Basic` with any user name, as clients do that know
/// nothing but user names and passwords. `None` when it shows something else.
pub(super) fn token(head: &RequestHead<'_>) -> Result<Option<String>, AuthenticationError> {
    let Some(header) = head.headers.first("authorization") else {
        return Ok(None);
    };
    let token = match bearer(header) {
        Some(token) => Some(token.to_owned()),
        None => password(header)?,
    };
    match token {
        Some(token) if token.len() > MAX_TOKEN_BYTES => {
            Err(AuthenticationError::Malformed("the token is too long"))
        }
        token => Ok(token),
    }
}

/// The token behind the scheme `Bearer`.
pub(super) fn bearer(header: &[u8]) -> Option<&str> {
    let header = header.trim_ascii();
    let (scheme, token) = header.split_at_checked(SCHEME.len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(SCHEME) && token.starts_with(b" ");
    let token = std::str::from_utf8(token.trim_ascii()).ok()?;
    is_bearer.then_some(token)
}

fn password(header: &[u8]) -> Result<Option<String>, AuthenticationError> {
    let credentials = basic::read(header).map_err(AuthenticationError::Malformed)?;
    Ok(match credentials {
        Some(Credentials::Password { password, .. }) if looks_signed(&password) => Some(password),
        _ => None,
    })
}

/// Three parts, of which the first is the beginning of a JSON object: nobody chooses such a password.
fn looks_signed(password: &str) -> bool {
    password.starts_with("eyJ") && password.split('.').count() == 3
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::services::auth::request_head::tests::Authorization;

    fn shown(header: &str) -> Result<Option<String>, AuthenticationError> {
        token(&Authorization(&[header.as_bytes()]).head(Ipv4Addr::LOCALHOST.into()))
    }

    #[test]
    fn given_tokens_when_shown_as_bearer_or_as_a_password_then_found() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (header, token) in [
            ("Bearer eyJh.b.c".to_owned(), Some("eyJh.b.c")),
            ("bearer  opaque ".to_owned(), Some("opaque")),
            (basic("alice:eyJh.b.c"), Some("eyJh.b.c")),
            (basic(":eyJh.b.c"), Some("eyJh.b.c")),
            (basic("alice:secret.with.dots"), None),
            (basic("alice:eyJh"), None),
            ("Bearereyjh.b.c".to_owned(), None),
            ("Digest a".to_owned(), None),
        ] {
            assert_eq!(shown(&header).unwrap().as_deref(), token, "{header}");
        }
    }

    #[test]
    fn given_a_token_of_excessive_length_when_shown_then_refused() {
        let long = format!("Bearer eyJ{}", "a".repeat(MAX_TOKEN_BYTES));
        assert!(matches!(shown(&long), Err(AuthenticationError::Malformed(_))));
    }
}
