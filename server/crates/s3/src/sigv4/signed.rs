//! Requests whose signature is still to be verified, and those where it is.

use std::fmt;

use super::canonical::Canonical;
use super::key::SigningKey;
use super::scope::Credential;
use super::secret::SecretKey;
use crate::error::{ErrorCode, S3Error};
use crate::hex;
use crate::payload::{BodyRule, ChunkSigner, ChunkedPayload, DeclaredPayload, Payload};

/// A request that says who signed it. Nothing of it may be believed before [`verify`](Self::verify).
#[derive(Clone)]
pub struct SignedRequest {
    pub(super) credential: Credential,
    pub(super) session_token: Option<String>,
    pub(super) signature: String,
    pub(super) time: String,
    pub(super) forms: Vec<Canonical>,
    pub(super) payload: DeclaredPayload,
}

impl SignedRequest {
    /// Whose secret [`verify`](Self::verify) needs.
    pub fn access_key_id(&self) -> &str {
        &self.credential.access_key_id
    }

    /// The session token, when the key belongs to a session.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// The answer when there is no such key, or it has been revoked or has expired.
    pub fn unknown_key(&self) -> S3Error {
        S3Error::new(ErrorCode::InvalidAccessKeyId).with("AWSAccessKeyId", self.access_key_id())
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// `SignatureDoesNotMatch` with what was to be signed, so that the client can compare.
    pub fn verify(self, secret: &SecretKey) -> Result<Verified, S3Error> {
        let key = SigningKey::derive(secret, &self.credential.scope);
        let provided: Option<[u8; 32]> = hex::decode(&self.signature);
        let signature = provided.filter(|signature| {
            let matches = |form: &Canonical| key.signed(&form.string_to_sign, signature);
            self.forms.iter().any(matches)
        });
        let Some(signature) = signature else {
            return Err(self.mismatch());
        };
        let signer = ChunkSigner::new(key, self.time, self.credential.scope.text(), signature);
        Ok(Verified {
            access_key_id: self.credential.access_key_id,
            payload: self.payload,
            signer,
        })
    }

    fn mismatch(self) -> S3Error {
        let error = S3Error::new(ErrorCode::SignatureDoesNotMatch)
            .with("AWSAccessKeyId", self.credential.access_key_id);
        let Some(form) = self.forms.into_iter().next() else {
            return error;
        };
        error
            .with("StringToSign", form.string_to_sign)
            .with("SignatureProvided", self.signature)
            .with("CanonicalRequest", form.request)
    }
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SignedRequest")
            .field("access_key_id", &self.credential.access_key_id)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// A request whose signature is right.
#[derive(Debug)]
pub struct Verified {
    access_key_id: String,
    payload: DeclaredPayload,
    signer: ChunkSigner,
}

impl Verified {
    /// The key that signed it.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// How its body is read.
    ///
    /// # Errors
    /// `InvalidRequest` when the body comes in chunks and the operation takes none.
    pub fn payload(self, rule: BodyRule) -> Result<Payload, S3Error> {
        self.payload.reading(rule, Some(self.signer))
    }
}

/// A request without credentials.
#[derive(Debug)]
pub struct Anonymous {
    payload: DeclaredPayload,
}

impl Anonymous {
    pub(super) fn new(payload: DeclaredPayload) -> Result<Self, S3Error> {
        let is_signed = matches!(
            &payload,
            DeclaredPayload::Chunked {
                mode: ChunkedPayload::Signed | ChunkedPayload::SignedWithTrailer,
                ..
            }
        );
        if is_signed {
            return Err(S3Error::invalid_request(
                "Chunks cannot be signed in a request that is not",
            ));
        }
        Ok(Self { payload })
    }

    /// How its body is read.
    ///
    /// # Errors
    /// `InvalidRequest` when the body comes in chunks and the operation takes none.
    pub fn payload(self, rule: BodyRule) -> Result<Payload, S3Error> {
        self.payload.reading(rule, None)
    }
}
