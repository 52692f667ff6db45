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

/// Lists the repositories that the caller may read.
pub(super) async fn list(call: &Call<'_>) -> Result<HttpResponse, OciError> {
    let n = page::count(call.parameter("n"))?;
    let may_read = call.read_filter();
    let catalog = call
        .api
        .registry
        .list_repositories(call.parameter("last"), n, may_read)
        .await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &catalog.next {
        let size = n
            .unwrap_or(usize::MAX)
            .min(call.api.registry.settings().page_size)
            .to_string();
        response.insert_header((
            LINK,
            page::next_link("/v2/_catalog", &[("n", &size), ("last", next.as_str())]),
        ));
    }
    let repositories = catalog.repositories.iter().map(RepositoryName::as_str);
    Ok(response.json(Catalog {
        repositories: repositories.collect(),
    }))
}
