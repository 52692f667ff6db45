//! Generated credentials.

/// The name of the generated administrator.
pub const USERNAME: &str = "admin";

/// Characters of a generated password: 62 letters and digits each, so about 190 bits.
const LENGTH: usize = 32;
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A random password.
///
/// # Errors
/// When the system gives no randomness.
pub fn password() -> Result<String, String> {
    let mut password = String::with_capacity(LENGTH);
    while password.len() < LENGTH {
        let mut bytes = [0_u8; LENGTH];
        getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no randomness: {error}"))?;
        // Six random bits choose among 64; the two that are no character are drawn again, so all are equally likely.
        let drawn = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)).copied());
        password.extend(drawn.map(char::from).take(LENGTH - password.len()));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_two_passwords_when_made_then_they_are_long_plain_and_different() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_eq!(one.len(), LENGTH);
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one, other);
    }
}
