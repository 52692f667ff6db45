//! Signing keys and signatures.

use std::fmt;

use subtle::ConstantTimeEq;

use super::mac::hmac_sha256;
use super::scope::Scope;
use super::secret::SecretKey;

/// The key of one secret for one day, region and service.
#[derive(Clone)]
pub(crate) struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key ("Create a signed request", step "calculate the signature").
    pub(crate) fn derive(secret: &SecretKey, scope: &Scope) -> Self {
        let first = format!("AWS4{}", secret.expose());
        let date = hmac_sha256(first.as_bytes(), scope.date.as_bytes());
        let region = hmac_sha256(&date, scope.region.as_bytes());
        let service = hmac_sha256(&region, scope.service.as_bytes());
        Self(hmac_sha256(&service, super::scope::TERMINATOR.as_bytes()))
    }

    /// Whether this key signed the text so. The time does not depend on where the signatures differ.
    pub(crate) fn signed(&self, text: &str, signature: &[u8; 32]) -> bool {
        self.sign(text).ct_eq(signature).into()
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; 32] {
        hmac_sha256(&self.0, text.as_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}
