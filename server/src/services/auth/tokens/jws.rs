//! JSON Web Signatures in their compact form (RFC 7515), as tokens have it (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::TokenError;
use super::claims::Claims;

/// Algorithms that are accepted: such as anybody can verify and the issuer alone can sign with. Neither `none` nor those
/// whose secret would have to be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// The algorithm of a name; names are case sensitive.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// A token whose signature was not looked at.
#[derive(Debug)]
pub(super) struct Unverified<'t> {
    header: Header,
    /// What it says, which nobody vouches for yet.
    pub(super) claims: Claims,
    signed: &'t str,
    signature: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that whoever does not know them must refuse: none is known here.
    crit: Option<serde_json::Value>,
}

impl<'t> Unverified<'t> {
    /// Takes a token apart.
    pub(super) fn parse(token: &'t str) -> Result<Self, TokenError> {
        let malformed = TokenError::Malformed;
        let (signed, signature) = token.rsplit_once('.').ok_or(malformed("it has no signature"))?;
        let (header, claims) = signed
            .split_once('.')
            .ok_or(malformed("it has not three parts"))?;
        if claims.contains('.') {
            return Err(malformed(
                "it has not three parts; encrypted tokens are not taken",
            ));
        }
        let decode = |part: &str| {
            let decoded = URL_SAFE_NO_PAD.decode(part);
            decoded.map_err(|_| malformed("a part of it is not base64"))
        };
        let header: Header = serde_json::from_slice(&decode(header)?)
            .map_err(|_| malformed("its header is not that of a signed token"))?;
        let claims = serde_json::from_slice(&decode(claims)?)
            .map_err(|_| malformed("its claims are no JSON object"))?;
        Ok(Self {
            header,
            claims: Claims::new(claims),
            signed,
            signature: decode(signature)?,
        })
    }

    /// Which of the issuer's keys it names, and with which algorithm.
    pub(super) fn key(&self) -> Result<(&str, Algorithm), TokenError> {
        let algorithm = Algorithm::named(&self.header.alg).ok_or(TokenError::Algorithm)?;
        if self.header.crit.is_some() {
            return Err(TokenError::Malformed(
                "its header has crit, which is not known here",
            ));
        }
        let kid = self.header.kid.as_deref();
        let kid = kid.ok_or(TokenError::Malformed("its header has no kid"))?;
        Ok((kid, algorithm))
    }

    /// The bytes that are signed.
    pub(super) fn signed(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    /// The signature over them.
    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(header), part("{}"), part("signature"))
    }

    #[test]
    fn given_a_token_when_parsed_then_its_key_is_named() {
        let text = token(r#"{"alg":"ES256","kid":"a","typ":"JWT"}"#);
        let parsed = Unverified::parse(&text).unwrap();
        assert_eq!(parsed.key().unwrap(), ("a", Algorithm::Es256));
        assert_eq!(parsed.signature(), b"signature");
    }

    #[test]
    fn given_algorithms_that_prove_nothing_when_asked_for_the_key_then_refused() {
        for algorithm in [
            "none", "None", "NONE", "HS256", "HS384", "HS512", "rs256", "", "ES256K", "RSA-OAEP",
        ] {
            let text = token(&format!(r#"{{"alg":"{algorithm}","kid":"a"}}"#));
            let parsed = Unverified::parse(&text).unwrap();
            assert_eq!(parsed.key(), Err(TokenError::Algorithm), "{algorithm}");
        }
    }

    #[test]
    fn given_what_is_no_token_when_parsed_then_refused() {
        let five_parts = "eyJ.a.b.c.d";
        let padded = token(r#"{"alg":"ES256"}"#) + "=";
        for text in ["", "a", "a.b", "a.b.c", "..", five_parts, &padded] {
            assert!(Unverified::parse(text).is_err(), "{text}");
        }
        for header in [
            r#"{"alg":"ES256"}"#,
            r#"{"alg":"ES256","kid":"a","crit":["b64"]}"#,
        ] {
            let text = token(header);
            let parsed = Unverified::parse(&text).unwrap();
            assert!(matches!(parsed.key(), Err(TokenError::Malformed(_))), "{header}");
        }
    }
}
