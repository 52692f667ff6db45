//! Password hashes as they stand in the file of users.

use std::fmt;

use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine as _;

/// Costs of bcrypt that are accepted: at 16 a verification takes seconds.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// Most that argon2id may ask for: memory in KiB, passes and lanes.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 16;

/// Lengths of argon2id in bytes: RFC 9106 wants a salt of at least 8, and below 16 a hash could be met by chance.
const SALT_LENGTHS: std::ops::RangeInclusive<usize> = 8..=48;
const HASH_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

/// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. A guess costs what a sign-in costs, and a
/// server can afford a few dozen sign-ins at the same time.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A user's stored hash, checked so that verifying neither fails nor takes without bounds.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum StoredHash {
    Bcrypt(String),
    Argon2id(String),
}

impl StoredHash {
    /// Reads a hash. An error says what the hash is, and never quotes it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(rest) = ["$2a$", "$2b$", "$2y$"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
        {
            check_bcrypt(rest)?;
            return Ok(Self::Bcrypt(text.to_owned()));
        }
        if text.starts_with("$argon2id$") {
            check_argon2id(text)?;
            return Ok(Self::Argon2id(text.to_owned()));
        }
        Err("is neither bcrypt ($2y$...) nor argon2id ($argon2id$...)")
    }

    /// The argon2id hash of a new password.
    pub(super) fn argon2id_of(
        password: &str,
        salt: &[u8; 16],
    ) -> Result<String, argon2::password_hash::Error> {
        let salt = SaltString::encode_b64(salt)?;
        let argon2id = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(MEMORY_KIB, PASSES, LANES, None)?,
        );
        Ok(argon2id.hash_password(password.as_bytes(), &salt)?.to_string())
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Bcrypt(text) | Self::Argon2id(text) => text,
        }
    }

    /// Whether the password has this hash. Takes tens of milliseconds of a core, by design.
    pub(super) fn verify(&self, password: &str) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Argon2id(hash) => PasswordHash::new(hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            }),
        }
    }
}

/// Checks what follows the kind: two digits, `$`, 22 characters of salt and 31 of hash.
fn check_bcrypt(rest: &str) -> Result<(), &'static str> {
    let damaged = "is a damaged bcrypt hash";
    let (cost, digest) = rest.split_once('$').ok_or(damaged)?;
    let (salt, hash) = digest.split_at_checked(22).ok_or(damaged)?;
    let is_of_length = |text: &str, length| {
        bcrypt::BASE_64
            .decode(text)
            .is_ok_and(|bytes| bytes.len() == length)
    };
    let has_two_digits = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
    if !has_two_digits || !is_of_length(salt, 16) || !is_of_length(hash, 23) {
        return Err(damaged);
    }
    let is_bounded = cost.parse().is_ok_and(|cost| BCRYPT_COSTS.contains(&cost));
    if is_bounded {
        Ok(())
    } else {
        Err("has a bcrypt cost outside 4 to 16")
    }
}

fn check_argon2id(text: &str) -> Result<(), &'static str> {
    let damaged = "is a damaged argon2id hash";
    let hash = PasswordHash::new(text).map_err(|_| damaged)?;
    let parameters = Params::try_from(&hash).map_err(|_| damaged)?;
    let has_version = hash
        .version
        .is_none_or(|version| Version::try_from(version).is_ok());
    let mut salt = [0; 64];
    let salt = hash
        .salt
        .and_then(|text| text.decode_b64(&mut salt).ok())
        .ok_or(damaged)?;
    let output = hash.hash.ok_or(damaged)?;
    if !has_version || !SALT_LENGTHS.contains(&salt.len()) || !HASH_LENGTHS.contains(&output.len()) {
        return Err(damaged);
    }
    let is_bounded = parameters.m_cost() <= MAX_MEMORY_KIB
        && parameters.t_cost() <= MAX_PASSES
        && parameters.p_cost() <= MAX_LANES;
    if is_bounded {
        Ok(())
    } else {
        Err("asks argon2id for more than 256 MiB, 10 passes or 16 lanes")
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoredHash(...)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_both_kinds_of_hash_when_verified_then_only_the_password_passes() {
        for text in [
            bcrypt::hash("secret", 4).unwrap(),
            StoredHash::argon2id_of("secret", &[7; 16]).unwrap(),
        ] {
            let hash = StoredHash::parse(&text).unwrap();
            assert!(hash.verify("secret"));
            assert!(!hash.verify("Secret"));
            assert!(!hash.verify(""));
            assert!(!format!("{hash:?}").contains("$2"));
        }
    }

    #[test]
    fn given_damaged_or_costly_hashes_when_parsed_then_refused() {
        let bcrypt = bcrypt::hash("secret", 4).unwrap();
        let argon2id = StoredHash::argon2id_of("secret", &[7; 16]).unwrap();
        let (no_hash, _) = argon2id.rsplit_once('$').unwrap();
        let cases = [
            ("plaintext".to_owned(), "neither"),
            ("$apr1$x$y".to_owned(), "neither"),
            (argon2id.replace("argon2id", "argon2i"), "neither"),
            (bcrypt.replace("$04$", "$17$"), "cost"),
            (bcrypt.replace("$04$", "$31$"), "cost"),
            (bcrypt.replace("$04$", "$03$"), "cost"),
            (bcrypt.replace("$04$", "$4$"), "damaged"),
            (bcrypt.replace("$04$", "$+4$"), "damaged"),
            (format!("{bcrypt}a"), "damaged"),
            (format!("$2y$05${}", "!".repeat(53)), "damaged"),
            (format!("$2y$05${}", "é".repeat(30)), "damaged"),
            ("$2y$05$short".to_owned(), "damaged"),
            (argon2id.replace("m=19456", "m=262145"), "256 MiB"),
            (argon2id.replace("m=19456", "m=8388608"), "256 MiB"),
            (argon2id.replace("t=2", "t=11"), "256 MiB"),
            (argon2id.replace("p=1", "p=17"), "256 MiB"),
            (argon2id.replace("t=2", "t=0"), "damaged"),
            (argon2id.replace("m=19456", "m=1"), "damaged"),
            (argon2id.replace("v=19", "v=18"), "damaged"),
            (no_hash.to_owned(), "damaged"),
            (format!("{no_hash}$c2hvcnQ"), "damaged"),
        ];
        for (text, expected) in cases {
            let error = StoredHash::parse(&text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
