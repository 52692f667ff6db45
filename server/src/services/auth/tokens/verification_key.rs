//! The keys that an issuer publishes (RFC 7517), as far as they verify signatures.

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

use super::TokenError;
use super::jws::{Algorithm, Unverified};

/// Most keys that an issuer may have.
const MAX_KEYS: usize = 100;

/// A public key, and the only algorithm to use it with if it says so.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct VerificationKey {
    material: Material,
    algorithm: Option<Algorithm>,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kid: Option<String>,
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The keys of a published set that verify signatures, by their ids. Others are passed over: sets hold keys for encryption
/// and of kinds to come.
pub(super) fn read_set(text: &[u8]) -> Result<HashMap<String, VerificationKey>, String> {
    let published: Published =
        serde_json::from_slice(text).map_err(|_| "the answer is no set of keys".to_owned())?;
    let keys: HashMap<_, _> = published
        .keys
        .into_iter()
        .take(MAX_KEYS)
        .filter_map(|key| serde_json::from_value(key).ok().and_then(read))
        .collect();
    if keys.is_empty() {
        return Err("the set of keys has none that verifies signatures".to_owned());
    }
    Ok(keys)
}

fn read(jwk: Jwk) -> Option<(String, VerificationKey)> {
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let algorithm = match &jwk.alg {
        Some(name) => Some(Algorithm::named(name)?),
        None => None,
    };
    let number = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
    let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => Material::Rsa {
            modulus: number(jwk.n)?,
            exponent: number(jwk.e)?,
        },
        ("EC", Some("P-256")) => Material::P256(point(&number(jwk.x)?, &number(jwk.y)?)),
        ("EC", Some("P-384")) => Material::P384(point(&number(jwk.x)?, &number(jwk.y)?)),
        ("OKP", Some("Ed25519")) => Material::Ed25519(number(jwk.x)?),
        _ => return None,
    };
    Some((jwk.kid?, VerificationKey { material, algorithm }))
}

/// The uncompressed form of SEC 1.
fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

impl VerificationKey {
    /// Whether the token is signed with it. Which algorithms that may be is decided by the key, never by the token.
    pub(super) fn verify(&self, token: &Unverified<'_>, algorithm: Algorithm) -> Result<(), TokenError> {
        if self.algorithm.is_some_and(|own| own != algorithm) {
            return Err(TokenError::Algorithm);
        }
        let (signed, signature) = (token.signed(), token.signature());
        let verified = match &self.material {
            Material::Rsa { modulus, exponent } => {
                let parameters = rsa_parameters(algorithm).ok_or(TokenError::Algorithm)?;
                let key = RsaPublicKeyComponents {
                    n: modulus.as_slice(),
                    e: exponent.as_slice(),
                };
                key.verify(parameters, signed, signature)
            }
            Material::P256(point) if algorithm == Algorithm::Es256 => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
            Material::P384(point) if algorithm == Algorithm::Es384 => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).verify(signed, signature)
            }
            Material::Ed25519(key) if algorithm == Algorithm::EdDsa => {
                UnparsedPublicKey::new(&signature::ED25519, key).verify(signed, signature)
            }
            _ => return Err(TokenError::Algorithm),
        };
        verified.map_err(|_| TokenError::Signature)
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
    })
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.material {
            Material::Rsa { .. } => "RSA",
            Material::P256(_) => "P-256",
            Material::P384(_) => "P-384",
            Material::Ed25519(_) => "Ed25519",
        };
        write!(formatter, "VerificationKey({kind})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_set_of_many_kinds_when_read_then_those_that_verify_signatures_are_kept() {
        let set = r#"{"keys":[
            {"kid":"encryption","kty":"RSA","use":"enc","alg":"RSA-OAEP","n":"AQAB","e":"AQAB"},
            {"kid":"shared","kty":"oct","k":"c2VjcmV0"},
            {"kid":"shared-hs","kty":"RSA","alg":"HS256","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","n":"AQAB","e":"AQAB"},
            {"kid":"rsa","kty":"RSA","use":"sig","alg":"RS256","n":"AQAB","e":"AQAB"},
            {"kid":"ed","kty":"OKP","crv":"Ed25519","x":"AQAB"},
            "nonsense"
        ]}"#;
        let mut ids: Vec<_> = read_set(set.as_bytes()).unwrap().into_keys().collect();
        ids.sort();
        assert_eq!(ids, ["ed", "rsa"]);
    }

    #[test]
    fn given_what_is_no_set_when_read_then_refused() {
        for text in ["", "[]", "{}", r#"{"keys":[]}"#, "<html>"] {
            assert!(read_set(text.as_bytes()).is_err(), "{text}");
        }
    }
}
