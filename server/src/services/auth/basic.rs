//! `Authorization: Basic` (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest header taken, in bytes: room for a long token in place of a password.
const MAX_HEADER_BYTES: usize = 24 * 1024;

const SCHEME: &[u8] = b"basic";

/// What a request shows.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// The empty user name and password that some clients send for "nobody".
    Nobody,
    /// A user name and a password.
    Password { user: String, password: String },
}

/// The `WWW-Authenticate` that asks for a user name and a password.
pub(super) fn challenge(realm: &str) -> String {
    format!("Basic realm=\"{realm}\", charset=\"UTF-8\"")
}

/// Reads an `Authorization` header; `None` when it has another scheme.
///
/// # Errors
/// What is wrong with it, without repeating any of it.
pub(super) fn read(header: &[u8]) -> Result<Option<Credentials>, &'static str> {
    let header = header.trim_ascii();
    let is_basic = header
        .get(..SCHEME.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
    let Some(encoded) = header.get(SCHEME.len()..).filter(|_| is_basic) else {
        return Ok(None);
    };
    if header.len() > MAX_HEADER_BYTES {
        return Err("the Authorization header is too long");
    }
    match encoded.split_first() {
        None => return Err("the Authorization header has no credentials"),
        Some((b' ', _)) => {}
        Some(_) => return Ok(None),
    }
    let decoded = STANDARD
        .decode(encoded.trim_ascii())
        .map_err(|_| "the credentials are not valid base64")?;
    let decoded = String::from_utf8(decoded).map_err(|_| "the credentials are not valid UTF-8")?;
    // The first colon separates: a password may hold colons, a user name may not.
    let (user, password) = decoded.split_once(':').ok_or("the credentials have no colon")?;
    if user.is_empty() && password.is_empty() {
        return Ok(Some(Credentials::Nobody));
    }
    Ok(Some(Credentials::Password {
        user: user.to_owned(),
        password: password.to_owned(),
    }))
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody => formatter.write_str("Nobody"),
            Self::Password { user, .. } => write!(formatter, "Password({user}, ...)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn given_credentials_when_read_then_the_first_colon_separates() {
        let expected = Credentials::Password {
            user: "alice".to_owned(),
            password: "a:b c".to_owned(),
        };
        assert_eq!(
            read(encoded("alice:a:b c").as_bytes()),
            Ok(Some(expected.clone()))
        );
        assert_eq!(
            read(encoded("alice:a:b c").replace("Basic", "bAsIc ").as_bytes()),
            Ok(Some(expected))
        );
    }

    #[test]
    fn given_nobody_or_another_scheme_when_read_then_said() {
        assert_eq!(read(b"Basic Og=="), Ok(Some(Credentials::Nobody)));
        for other in [b"Bearer abc".as_slice(), b"", b"alice:password", b"Basics Og=="] {
            assert_eq!(read(other), Ok(None), "{}", other.escape_ascii());
        }
    }

    #[test]
    fn given_malformed_headers_when_read_then_refused_without_an_echo() {
        let long = format!("Basic {}", "a".repeat(30_000));
        let headers: [&[u8]; 6] = [
            b"Basic",
            b"Basic ***",
            b"Basic \xff",
            b"Basic YWxpY2U=",
            b"Basic /////w==",
            long.as_bytes(),
        ];
        for header in headers {
            assert!(read(header).is_err(), "{}", header.escape_ascii());
        }
    }

    #[test]
    fn given_credentials_when_shown_for_debugging_then_the_password_is_not() {
        let shown = format!("{:?}", read(encoded("alice:secret").as_bytes()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
