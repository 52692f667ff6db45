//! Request ids: the client's when it is well-formed, else a new one.

use actix_web::http::header::HeaderMap;

/// The header that carries the id, in both directions.
pub(super) const REQUEST_ID_HEADER: &str = "x-request-id";

/// Identifies one request in logs and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id that the client sent, if it is short and harmless in a log, else a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let sent = headers
            .get(REQUEST_ID_HEADER)
            .and_then(|value| value.to_str().ok());
        let is_harmless = |text: &&str| {
            (1..=128).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        };
        Self(
            sent.filter(is_harmless)
                .map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned),
        )
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn id_for(sent: &'static str) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static(REQUEST_ID_HEADER),
            HeaderValue::from_static(sent),
        );
        RequestId::of(&headers)
    }

    #[test]
    fn given_a_harmless_id_when_sent_then_it_is_kept_and_others_are_replaced() {
        assert_eq!(id_for("build-42").as_str(), "build-42");
        assert_ne!(id_for("a b").as_str(), "a b");
        assert_ne!(id_for("").as_str(), "");
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
