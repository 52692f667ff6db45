//! What a token says (RFC 7519, section 4).

use std::time::Duration;

use serde_json::{Map, Value};
use zas_core::Timestamp;

use super::TokenError;

/// How far the clocks of issuer and server may be apart.
const MAX_SKEW: Duration = Duration::from_secs(60);

/// Longest subject, in bytes (OpenID Connect Core, section 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// The claims of a token.
#[derive(Clone, Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Whether there is a claim of that name, whatever it says.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The texts of a list that lies at the end of a path of objects.
    pub(super) fn texts<'c>(&'c self, path: &[&str]) -> impl Iterator<Item = &'c str> {
        let (first, rest) = path.split_first().unzip();
        let found = first.and_then(|name| self.0.get(*name));
        let rest = rest.into_iter().flatten();
        let found = rest.fold(found, |found, name| found.and_then(|value| value.get(*name)));
        let list = found.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str)
    }

    /// Whether a name is the audience or one of them.
    pub(super) fn has_audience(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        match self.0.get("aud") {
            Some(Value::String(audience)) => is_meant(audience),
            Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).any(is_meant),
            _ => false,
        }
    }

    /// Whom the issuer means.
    pub(super) fn subject(&self) -> Result<&str, TokenError> {
        let subject = self.text("sub").unwrap_or_default();
        let is_good =
            (1..=MAX_SUBJECT_BYTES).contains(&subject.len()) && !subject.chars().any(char::is_control);
        is_good.then_some(subject).ok_or_else(|| {
            refused("it has no sub; in Keycloak the client scope basic adds it: assign it to the client")
        })
    }

    /// When it ends, if it is good now. A date that is no number is a fault, never an absence.
    pub(super) fn check_times(&self, now: Timestamp) -> Result<Timestamp, TokenError> {
        let expires = self.date("exp")?.ok_or_else(|| refused("it has no exp"))?;
        if now >= expires.plus(MAX_SKEW) {
            return Err(refused("it has expired: get a new one"));
        }
        for name in ["nbf", "iat"] {
            if self.date(name)?.is_some_and(|from| from > now.plus(MAX_SKEW)) {
                return Err(refused(
                    "it is from the future: compare the clocks of the issuer and of this server",
                ));
            }
        }
        Ok(expires)
    }

    fn date(&self, name: &str) -> Result<Option<Timestamp>, TokenError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let seconds = value.as_f64().filter(|seconds| (0.0..1e11).contains(seconds));
        let seconds = seconds.ok_or_else(|| refused("one of exp, nbf and iat is no date"))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was checked"
        )]
        let millis = (seconds * 1000.0) as u64;
        Ok(Some(Timestamp::from_millis(millis)))
    }
}

/// A claim is absent or not accepted.
pub(super) fn refused(reason: impl Into<String>) -> TokenError {
    TokenError::Claim(reason.into())
}
