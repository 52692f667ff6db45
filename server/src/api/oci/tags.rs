//! `GET /v2/<name>/tags/list`.

use actix_web::HttpResponse;
use actix_web::http::header::LINK;
use serde::Serialize;
use zas_core::{RepositoryName, Tag};

use super::call::Call;
use super::{OciError, page};

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a str,
    tags: Vec<&'a str>,
}

/// Lists the tags of a repository in byte order.
pub(super) async fn list(call: &Call<'_>, name: &RepositoryName) -> Result<HttpResponse, OciError> {
    let granted = call.grant(name)?;
    let n = page::count(call.parameter("n"))?;
    let tags = call
        .api
        .registry
        .list_tags(granted, call.parameter("last"), n)
        .await?;
    let mut response = HttpResponse::Ok();
    if let (true, Some(last)) = (tags.more, tags.entries.last()) {
        let path = format!("/v2/{name}/tags/list");
        let size = tags.entries.len().to_string();
        response.insert_header((
            LINK,
            page::next_link(&path, &[("n", &size), ("last", last.as_str())]),
        ));
    }
    Ok(response.json(document(name, &tags.entries)))
}

/// A page of tags.
pub(super) fn document<'a>(name: &'a RepositoryName, tags: &'a [Tag]) -> impl Serialize + 'a {
    TagList {
        name: name.as_str(),
        tags: tags.iter().map(Tag::as_str).collect(),
    }
}
