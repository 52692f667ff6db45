//! Content digests, `<algorithm>:<lower-case hex>` (image-spec, descriptor.md, "Digests").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha512};

/// A registered digest algorithm that this store can verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Algorithm {
    /// SHA-256, the algorithm every client knows.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The length of a digest in bytes: 32 or 64.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name in front of the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The digest of `bytes`, computed in one go.
    pub fn digest(self, bytes: &[u8]) -> Digest {
        match self {
            Self::Sha256 => Digest::from_sha256(Sha256::digest(bytes).into()),
            Self::Sha512 => Digest::from_sha512(Sha512::digest(bytes).into()),
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }
}

impl FromStr for Algorithm {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            other => Err(InvalidDigest::Algorithm(shorten(other))),
        }
    }
}

/// The digest of some content. Two digests are equal exactly when algorithm and bytes are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    // Bytes past the algorithm's length are always zero, so the derived comparisons are right.
    bytes: [u8; 64],
}

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigest {
    /// The algorithm is missing or not one that this store verifies.
    #[error("digest algorithm {0:?} is not supported: use sha256 or sha512")]
    Algorithm(String),
    /// The encoded part has the wrong length or characters.
    #[error("digest {text:?} must have {expected} lower-case hexadecimal characters after \"{algorithm}:\"")]
    Encoded {
        /// The offending text, shortened.
        text: String,
        /// The algorithm's name.
        algorithm: &'static str,
        /// How many characters are expected.
        expected: usize,
    },
    /// There is no colon.
    #[error("digest {0:?} has no colon: expected <algorithm>:<hex>")]
    Form(String),
}

impl Digest {
    /// A digest from raw SHA-256 bytes.
    pub fn from_sha256(raw: [u8; 32]) -> Self {
        Self::from_raw(Algorithm::Sha256, &raw)
    }

    /// A digest from raw SHA-512 bytes.
    pub fn from_sha512(raw: [u8; 64]) -> Self {
        Self {
            algorithm: Algorithm::Sha512,
            bytes: raw,
        }
    }

    /// The SHA-256 digest of `bytes`.
    pub fn sha256_of(bytes: &[u8]) -> Self {
        Algorithm::Sha256.digest(bytes)
    }

    /// The algorithm in front of the colon.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw digest, 32 or 64 bytes.
    pub fn raw(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.length()).unwrap_or(&self.bytes)
    }

    /// The encoded part: lower-case hexadecimal.
    pub fn hex(&self) -> String {
        let text = Text::of(self);
        text.encoded().to_owned()
    }

    /// The stored form: one algorithm byte, then the raw digest.
    pub fn to_key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(65);
        key.push(self.algorithm.code());
        key.extend_from_slice(self.raw());
        key
    }

    /// Reads the stored form; `None` when the bytes are none.
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (code, raw) = key.split_first()?;
        let algorithm = match code {
            1 => Algorithm::Sha256,
            2 => Algorithm::Sha512,
            _ => return None,
        };
        (raw.len() == algorithm.length()).then(|| Self::from_raw(algorithm, raw))
    }

    fn from_raw(algorithm: Algorithm, raw: &[u8]) -> Self {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(raw) {
            *to = *from;
        }
        Self { algorithm, bytes }
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (name, encoded) = text
            .split_once(':')
            .ok_or_else(|| InvalidDigest::Form(shorten(text)))?;
        let algorithm: Algorithm = name.parse()?;
        let malformed = || InvalidDigest::Encoded {
            text: shorten(text),
            algorithm: algorithm.name(),
            expected: algorithm.length() * 2,
        };
        if encoded.len() != algorithm.length() * 2 {
            return Err(malformed());
        }
        let mut bytes = [0; 64];
        for (to, pair) in bytes.iter_mut().zip(encoded.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else {
                return Err(malformed());
            };
            *to = nibble(*high)
                .zip(nibble(*low))
                .map(|(high, low)| high << 4 | low)
                .ok_or_else(malformed)?;
        }
        Ok(Self { algorithm, bytes })
    }
}

/// The longest text: name, colon and 64 bytes in hexadecimal.
const TEXT_MAX: usize = PREFIX + 128;

/// Both names have six characters.
const PREFIX: usize = 7;

/// A digest as text, made in one go: every answer carries its digest twice.
struct Text {
    bytes: [u8; TEXT_MAX],
    length: usize,
}

impl Text {
    fn of(digest: &Digest) -> Self {
        let mut bytes = [0; TEXT_MAX];
        let (prefix, encoded) = bytes.split_at_mut(PREFIX);
        prefix.copy_from_slice(match digest.algorithm {
            Algorithm::Sha256 => b"sha256:",
            Algorithm::Sha512 => b"sha512:",
        });
        for (pair, byte) in encoded.chunks_exact_mut(2).zip(digest.raw()) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xF)]);
        }
        Self {
            bytes,
            length: PREFIX + 2 * digest.raw().len(),
        }
    }

    fn as_str(&self) -> &str {
        let text = self.bytes.get(..self.length).unwrap_or_default();
        // All of it is ASCII.
        std::str::from_utf8(text).unwrap_or_default()
    }

    fn encoded(&self) -> &str {
        self.as_str().get(PREFIX..).unwrap_or_default()
    }
}

fn digit(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

/// Upper-case hexadecimal is refused: the image specification demands lower case.
fn nibble(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(160).collect()
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(Text::of(self).as_str())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn given_the_empty_content_when_hashed_then_the_well_known_digest() {
        assert_eq!(Digest::sha256_of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Digest>().unwrap(), Digest::sha256_of(b""));
    }

    #[test]
    fn given_both_algorithms_when_stored_as_a_key_then_read_back_unchanged() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let digest = algorithm.digest(b"content");
            assert_eq!(Digest::from_key(&digest.to_key()), Some(digest));
            assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        }
    }

    #[test]
    fn given_malformed_texts_when_parsed_then_each_is_refused() {
        let upper = EMPTY.to_uppercase().replace("SHA256", "sha256");
        for text in [
            "",
            "sha256",
            "sha256:",
            "sha256:abc",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            &upper,
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
        let too_long = format!("{EMPTY}0");
        assert!(too_long.parse::<Digest>().is_err());
    }

    #[test]
    fn given_foreign_bytes_when_read_as_a_key_then_none() {
        for key in [
            &b""[..],
            b"\x01",
            b"\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            &[1; 34],
        ] {
            assert_eq!(Digest::from_key(key), None);
        }
    }
}
