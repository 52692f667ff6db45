//! Tokens that others sign: read, verified with their issuer's keys, and turned into a principal.
//!
//! Each kind of issuer is a [`Credential`](super::credential::Credential) in a file of its own. Nothing here reads the
//! network while a request waits, as long as the issuer's keys are known.

mod claims;
mod fetch;
mod issuer_keys;
mod issuers;
mod jws;
mod keycloak;
mod presented;
mod verification_key;

pub(super) use issuer_keys::IssuerKeys;
pub(super) use issuers::Issuers;
pub(super) use keycloak::KeycloakTokens;

use super::AuthenticationError;

/// Why a token is not taken. Nothing of the token is repeated but names that the settings have too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// It is no token of this form.
    #[error("the token cannot be read: {0}")]
    Malformed(&'static str),
    /// It is signed in a way that proves nothing here.
    #[error(
        "the token is signed with an algorithm that is not accepted: accepted are RS, PS, ES and EdDSA with the issuer's keys"
    )]
    Algorithm,
    /// The issuer has no such key.
    #[error("the token is signed with a key that its issuer does not have, or no longer")]
    UnknownKey,
    /// The signature is not that of the key.
    #[error("the signature of the token is wrong")]
    Signature,
    /// A claim is absent or has a value that is not accepted.
    #[error("the token is not accepted: {0}")]
    Claim(String),
    /// The issuer's keys are not known.
    #[error("the keys of the token's issuer are not known: {0}")]
    NoKeys(String),
}

impl From<TokenError> for AuthenticationError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NoKeys(_) => Self::Unavailable(error.to_string()),
            _ => Self::InvalidToken(error.to_string()),
        }
    }
}

#[cfg(test)]
pub(in crate::services::auth) mod test_issuer;
