//! `GET /v2/<name>/referrers/<digest>`.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_TYPE, LINK};
use bytes::{BufMut, Bytes, BytesMut};
use zas_core::{Digest, MediaType, RepositoryName};
use zas_metadata::ReferrerCursor;

use super::call::Call;
use super::{OciError, OciErrorCode, page};
use crate::services::registry::ReferrerQuery;

/// Most artifact types of one filter; each costs a look-up.
const MAX_ARTIFACT_TYPES: usize = 64;

/// Lists what refers to a manifest, as an image index. Never 404: what is not there has no referrers.
pub(super) async fn list(
    call: &Call<'_>,
    name: &RepositoryName,
    subject: &Digest,
) -> Result<HttpResponse, OciError> {
    let granted = call.grant(name)?;
    let query = ReferrerQuery {
        artifact_types: artifact_types(call)?,
        after: call.parameter("after").map(read_cursor).transpose()?,
        count: page::count(call.parameter("n"))?,
    };
    let referrers = call.api.registry.list_referrers(granted, subject, &query).await?;

    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, MediaType::OCI_INDEX));
    if !query.artifact_types.is_empty() {
        response.insert_header(("OCI-Filters-Applied", "artifactType"));
    }
    if let Some(next) = &referrers.next {
        let path = format!("/v2/{name}/referrers/{subject}");
        response.insert_header((LINK, next_page(&path, next, &query)));
    }
    Ok(response.body(index(&referrers.descriptors)))
}

fn artifact_types(call: &Call<'_>) -> Result<Vec<String>, OciError> {
    let types: Vec<String> = call
        .parameters("artifactType")
        .filter(|filter| !filter.is_empty())
        .map(str::to_owned)
        .collect();
    if types.len() > MAX_ARTIFACT_TYPES {
        return Err(OciError::new(
            OciErrorCode::Unsupported,
            format!("at most {MAX_ARTIFACT_TYPES} artifact types are allowed"),
        ));
    }
    Ok(types)
}

fn next_page(path: &str, next: &ReferrerCursor, query: &ReferrerQuery) -> String {
    let (cursor, count) = (write_cursor(next), query.count.map(|count| count.to_string()));
    let mut parameters = vec![("after", cursor.as_str())];
    parameters.extend(count.as_deref().map(|count| ("n", count)));
    parameters.extend(
        query
            .artifact_types
            .iter()
            .map(|filter| ("artifactType", filter.as_str())),
    );
    page::next_link(path, &parameters)
}

/// The descriptors are stored as finished JSON, so the index is put together without reading them.
fn index(descriptors: &[Bytes]) -> Bytes {
    let mut body = BytesMut::with_capacity(
        128 + descriptors
            .iter()
            .map(|descriptor| descriptor.len() + 1)
            .sum::<usize>(),
    );
    body.put_slice(br#"{"schemaVersion":2,"mediaType":""#);
    body.put_slice(MediaType::OCI_INDEX.as_bytes());
    body.put_slice(br#"","manifests":["#);
    for (position, descriptor) in descriptors.iter().enumerate() {
        if position > 0 {
            body.put_u8(b',');
        }
        body.put_slice(descriptor);
    }
    body.put_slice(b"]}");
    body.freeze()
}

fn write_cursor(cursor: &ReferrerCursor) -> String {
    format!("{}@{}", cursor.artifact_type, cursor.digest)
}

fn read_cursor(text: &str) -> Result<ReferrerCursor, OciError> {
    let malformed = || {
        OciError::new(
            OciErrorCode::Unsupported,
            "the parameter after must come from a Link header",
        )
    };
    // An artifact type is any text, a digest has no @: the last one separates.
    let (artifact_type, digest) = text.rsplit_once('@').ok_or_else(malformed)?;
    let digest = digest.parse().map_err(|_| malformed())?;
    Ok(ReferrerCursor {
        artifact_type: artifact_type.to_owned(),
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_descriptors_when_put_together_then_the_index_is_valid_json() {
        for descriptors in [
            vec![],
            vec![Bytes::from("{}")],
            vec![Bytes::from("{\"a\":1}"), Bytes::from("{}")],
        ] {
            let parsed: serde_json::Value = serde_json::from_slice(&index(&descriptors)).unwrap();
            assert_eq!(parsed["manifests"].as_array().unwrap().len(), descriptors.len());
            assert_eq!(parsed["mediaType"], MediaType::OCI_INDEX);
        }
    }

    #[test]
    fn given_a_cursor_when_written_and_read_then_equal() {
        for artifact_type in ["", "a/b", "odd@type"] {
            let cursor = ReferrerCursor {
                artifact_type: artifact_type.to_owned(),
                digest: Digest::sha256_of(b"x"),
            };
            assert_eq!(read_cursor(&write_cursor(&cursor)).unwrap(), cursor);
        }
        assert!(read_cursor("nonsense").is_err());
    }
}
