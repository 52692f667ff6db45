//! Access keys: their ids, how their secrets are derived, and the canonical ids of their owners.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::hex;
use crate::sigv4::{SecretKey, hmac_sha256, sha256};

const PREFIX: &str = "ZASK";
const DIGITS: usize = 16;
/// RFC 4648, section 6.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// As many as make 40 characters.
const SECRET_BYTES: usize = 30;

/// The id of an access key: `ZASK` and 16 digits of base32. It is public.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

/// The text is no id of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an access key id: {PREFIX} and {DIGITS} digits of base32 are")]
pub struct InvalidAccessKeyId;

impl AccessKeyId {
    /// An id out of 80 random bits.
    pub fn from_random(random: [u8; 10]) -> Self {
        let bits = random
            .iter()
            .fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
        let digit = |position: usize| {
            let digit = bits >> (5 * (DIGITS - 1 - position)) & 31;
            let index = usize::try_from(digit).unwrap_or_default();
            char::from(ALPHABET.get(index).copied().unwrap_or(b'A'))
        };
        let digits: String = (0..DIGITS).map(digit).collect();
        Self(format!("{PREFIX}{digits}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccessKeyId {
    type Err = InvalidAccessKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidAccessKeyId> {
        let digits = text.strip_prefix(PREFIX).ok_or(InvalidAccessKeyId)?;
        if digits.len() != DIGITS || !digits.bytes().all(|byte| ALPHABET.contains(&byte)) {
            return Err(InvalidAccessKeyId);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The key out of which the secrets of access keys are derived.
#[derive(Clone)]
pub struct KeyEncryptionKey([u8; 32]);

impl KeyEncryptionKey {
    /// Takes 256 random bits.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The secret of an access key: HKDF-SHA-256 with `zas-s3-v1\0` and the id, as 40 characters. It is derived
    /// whenever it is needed and never stored.
    pub fn secret_of(&self, id: &AccessKeyId) -> SecretKey {
        let context = format!("zas-s3-v1\0{id}");
        let derived = hkdf_sha256(&self.0, context.as_bytes());
        let bytes = derived.get(..SECRET_BYTES).unwrap_or_default();
        SecretKey::new(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyEncryptionKey(..)")
    }
}

/// The first block of HKDF without a salt (RFC 5869): 32 bytes are all that is needed.
fn hkdf_sha256(key: &[u8], context: &[u8]) -> [u8; 32] {
    let extracted = hmac_sha256(&[0; 32], key);
    hmac_sha256(&extracted, &[context, &[1]].concat())
}

/// The canonical id of an owner, which owners of buckets and objects are shown by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalId(String);

impl CanonicalId {
    /// The id of a subject of an issuer: the same text for ever, and nothing of them can be read from it.
    pub fn of(issuer: &str, subject: &str) -> Self {
        let text = format!("zas-canonical-v1\0{issuer}\0{subject}");
        Self(hex::encode(&sha256(text.as_bytes())))
    }

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CanonicalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_random_bits_when_an_id_is_made_then_it_reads_back() {
        assert_eq!(AccessKeyId::from_random([0; 10]).as_str(), "ZASKAAAAAAAAAAAAAAAA");
        assert_eq!(
            AccessKeyId::from_random([255; 10]).as_str(),
            "ZASK7777777777777777"
        );
        let id = AccessKeyId::from_random([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(id.as_str(), "ZASKAAAQEAYEAUDAOCAJ");
        assert_eq!(id.as_str().parse(), Ok(id));
        for text in [
            "",
            "ZASK",
            "AKIAIOSFODNN7EXAMPLE",
            "ZASKaaaaaaaaaaaaaaaa",
            "ZASKAAAAAAAAAAAAAAA1",
        ] {
            assert_eq!(text.parse::<AccessKeyId>(), Err(InvalidAccessKeyId), "{text}");
        }
    }

    /// RFC 5869, A.3: no salt, no context.
    #[test]
    fn given_the_vector_of_the_standard_when_derived_then_its_key() {
        assert_eq!(
            hex::encode(&hkdf_sha256(&[0x0b; 22], b"")),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        );
    }

    #[test]
    fn given_a_key_and_an_id_when_the_secret_is_derived_then_forty_characters_of_its_own() {
        let key = KeyEncryptionKey::new([7; 32]);
        let [first, second] = [[1; 10], [2; 10]].map(AccessKeyId::from_random);

        let secret = key.secret_of(&first);

        assert_eq!(secret.expose().len(), 40);
        assert_eq!(secret, key.secret_of(&first));
        assert_ne!(secret, key.secret_of(&second));
        assert_ne!(secret, KeyEncryptionKey::new([8; 32]).secret_of(&first));
        assert_eq!(
            format!("{key:?} {secret:?}"),
            "KeyEncryptionKey(..) SecretKey(..)"
        );
    }

    #[test]
    fn given_issuer_and_subject_when_identified_then_what_a_shell_computes() {
        // printf 'zas-canonical-v1\0local\0ann' | sha256sum
        assert_eq!(
            CanonicalId::of("local", "ann").as_str(),
            "c7e6bc83019d6de5465e1712d2ca92d1fb1b9e206d226c34c0aa2c9124d702f0"
        );
        assert_ne!(CanonicalId::of("a", "b"), CanonicalId::of("ab", ""));
    }
}
