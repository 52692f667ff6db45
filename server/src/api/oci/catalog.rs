//! `GET /v2/_catalog`.

use actix_web::HttpResponse;
use actix_web::http::header::LINK;
use serde::Serialize;
use zas_core::RepositoryName;

use super::call::Call;
use super::{OciError, page};

#[derive(Serialize)]
struct Catalog<'a> {
    repositories: Vec<&'a str>,
}

/// What sealed positions of this listing are bound to.
const LISTING: &str = "catalog";

/// Lists the repositories that the caller may read.
///
/// The next page begins after the last name shown (`last`), or, when this one ended among repositories that the caller
/// may not know of, at a sealed position (`cursor`). One that cannot be opened, such as one from before a restart, is
/// ignored: then the listing goes on after `last`, and nothing is left out.
pub(super) async fn list(call: &Call<'_>) -> Result<HttpResponse, OciError> {
    let n = page::count(call.parameter("n"))?;
    let last = call.parameter("last");
    let position = call
        .parameter("cursor")
        .and_then(|sealed| call.open_position(LISTING, sealed));
    let catalog = call
        .api
        .registry
        .list_repositories(position.as_deref().or(last), n, &call.readable())
        .await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &catalog.next {
        let size = n
            .unwrap_or(usize::MAX)
            .min(call.api.registry.settings().page_size)
            .to_string();
        let shown = catalog.repositories.last();
        let last = shown.map(RepositoryName::as_str).or(last);
        let mut parameters = vec![("n", size.as_str())];
        parameters.extend(last.map(|last| ("last", last)));
        let cursor = if shown == Some(next) {
            None
        } else {
            Some(seal(call, next)?)
        };
        parameters.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        response.insert_header((LINK, page::next_link("/v2/_catalog", &parameters)));
    }
    let repositories = catalog.repositories.iter().map(RepositoryName::as_str);
    Ok(response.json(Catalog {
        repositories: repositories.collect(),
    }))
}

fn seal(call: &Call<'_>, position: &RepositoryName) -> Result<String, OciError> {
    call.seal_position(LISTING, position.as_str())
        .ok_or_else(|| OciError::unavailable("the system gives no randomness: try again"))
}
