//! `Authorization: Basic` (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest header taken, in bytes: room for a token in place of a password.
const LONGEST: usize = 16 * 1024;

/// What a request shows.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Nothing, or the empty user name and password that some clients send for "nobody".
    None,
    /// A user name and a password.
    Password { user: String, password: String },
}

/// Reads the `Authorization` headers of a request.
///
/// # Errors
/// What is wrong with them, without repeating any of it.
pub(super) fn read(headers: &[&[u8]]) -> Result<Credentials, &'static str> {
    let header = match headers {
        [] => return Ok(Credentials::None),
        [header] => *header,
        _ => return Err("there are several Authorization headers: send one"),
    };
    if header.len() > LONGEST {
        return Err("the Authorization header is too long");
    }
    let text = std::str::from_utf8(header).map_err(|_| "the Authorization header is not text")?;
    let (scheme, encoded) = text
        .trim()
        .split_once(' ')
        .ok_or("the Authorization header has no credentials")?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err("only the scheme Basic is supported");
    }
    let decoded = STANDARD
        .decode(encoded.trim())
        .map_err(|_| "the credentials are not valid base64")?;
    let decoded = String::from_utf8(decoded).map_err(|_| "the credentials are not valid UTF-8")?;
    // The first colon separates: a password may hold colons, a user name may not.
    let (user, password) = decoded.split_once(':').ok_or("the credentials have no colon")?;
    if user.is_empty() && password.is_empty() {
        return Ok(Credentials::None);
    }
    Ok(Credentials::Password {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => formatter.write_str("None"),
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
        assert_eq!(read(&[encoded("alice:a:b c").as_bytes()]), Ok(expected.clone()));
        assert_eq!(
            read(&[encoded("alice:a:b c").replace("Basic", "bAsIc ").as_bytes()]),
            Ok(expected)
        );
    }

    #[test]
    fn given_nothing_or_nobody_when_read_then_none() {
        assert_eq!(read(&[]), Ok(Credentials::None));
        assert_eq!(read(&[b"Basic Og=="]), Ok(Credentials::None));
    }

    #[test]
    fn given_malformed_headers_when_read_then_refused_without_an_echo() {
        let long = format!("Basic {}", "a".repeat(20_000));
        let headers: [&[u8]; 7] = [
            b"",
            b"Basic",
            b"Basic ***",
            b"Bearer abc",
            b"Basic \xff",
            b"Basic YWxpY2U=",
            long.as_bytes(),
        ];
        for header in headers {
            assert!(read(&[header]).is_err(), "{}", header.escape_ascii());
        }
        assert!(read(&[b"Basic Og==", b"Basic Og=="]).is_err());
    }

    #[test]
    fn given_credentials_when_shown_for_debugging_then_the_password_is_not() {
        let shown = format!("{:?}", read(&[encoded("alice:secret").as_bytes()]));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
