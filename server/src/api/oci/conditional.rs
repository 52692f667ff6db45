//! Conditional requests (RFC 9110 section 13) on content that its digest identifies.

use actix_web::http::header::{self, HeaderMap};
use zas_core::{Digest, MediaType};

/// The entity tag of some content: its digest, so it is strong by nature.
pub(super) fn entity_tag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// The entity tag of content that the same bytes under another media type would not be.
pub(super) fn typed_entity_tag(digest: &Digest, media_type: &MediaType) -> String {
    format!("\"{digest};{media_type}\"")
}

/// Whether `If-None-Match` says that the client has this content already.
pub(super) fn is_not_modified(headers: &HeaderMap, entity_tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .any(|value| matches(value, entity_tag))
}

/// Whether `If-Range` lets a range be served: it is absent or names this very content.
pub(super) fn range_applies(headers: &HeaderMap, entity_tag: &str) -> bool {
    // A date never matches: the store keeps no dates of content.
    headers
        .get(header::IF_RANGE)
        .is_none_or(|value| value.to_str().is_ok_and(|value| value.trim() == entity_tag))
}

fn matches(list: &str, entity_tag: &str) -> bool {
    list.split(',').map(str::trim).any(|candidate| {
        // Weak comparison, which is what If-None-Match asks for.
        candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == entity_tag
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn given_if_none_match_when_compared_then_lists_weak_tags_and_stars_count() {
        for value in ["\"a\"", "W/\"a\"", "\"x\", \"a\"", "*"] {
            assert!(
                is_not_modified(&headers(header::IF_NONE_MATCH, value), "\"a\""),
                "{value}"
            );
        }
        for value in ["\"b\"", "a", ""] {
            assert!(
                !is_not_modified(&headers(header::IF_NONE_MATCH, value), "\"a\""),
                "{value}"
            );
        }
        assert!(!is_not_modified(&HeaderMap::new(), "\"a\""));
    }

    #[test]
    fn given_the_same_bytes_under_two_types_when_tagged_then_a_client_that_has_one_has_not_the_other() {
        let tag =
            |media_type: &str| typed_entity_tag(&Digest::sha256_of(b"{}"), &media_type.parse().unwrap());
        let (oci, docker) = (tag(MediaType::OCI_MANIFEST), tag(MediaType::DOCKER_MANIFEST));
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(&oci).unwrap());
        assert!(is_not_modified(&headers, &oci));
        assert!(!is_not_modified(&headers, &docker));
    }

    #[test]
    fn given_if_range_when_compared_then_only_the_strong_tag_counts() {
        assert!(range_applies(&HeaderMap::new(), "\"a\""));
        assert!(range_applies(&headers(header::IF_RANGE, "\"a\""), "\"a\""));
        for value in ["W/\"a\"", "\"b\"", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert!(
                !range_applies(&headers(header::IF_RANGE, value), "\"a\""),
                "{value}"
            );
        }
    }
}
