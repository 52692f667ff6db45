//! The requests of the distribution specification that the scenarios are made of.

use anyhow::{Context, Result, ensure};

use crate::connection::{Body, Connection, Head};
use crate::payload::Payload;

/// Media type of the manifests that are pushed.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A blob as a manifest names it.
#[derive(Clone, Debug)]
pub(crate) struct Descriptor {
    /// `sha256:...`
    pub(crate) digest: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// Pushes a blob with POST and one PUT.
pub(crate) async fn push_blob(
    connection: &mut Connection,
    repository: &str,
    payload: Payload,
    digest: &str,
) -> Result<u64> {
    let location = start_upload(connection, repository).await?;
    let path = closing(&location, digest);
    let head = connection.request("PUT", &path, Body::Sized(payload)).await?;
    expect(connection, &head, 201, "closing PUT")?;
    Ok(payload.length)
}

/// Pushes a blob with one POST, which not every registry accepts.
pub(crate) async fn push_blob_at_once(
    connection: &mut Connection,
    repository: &str,
    payload: Payload,
    digest: &str,
) -> Result<u64> {
    let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
    let head = connection.request("POST", &path, Body::Sized(payload)).await?;
    expect(connection, &head, 201, "POST with a digest")?;
    Ok(payload.length)
}

/// Pushes a blob as docker does: POST, a PATCH in chunks, and an empty PUT.
pub(crate) async fn push_blob_streamed(
    connection: &mut Connection,
    repository: &str,
    payload: Payload,
    digest: &str,
) -> Result<u64> {
    let location = start_upload(connection, repository).await?;
    let head = connection
        .request("PATCH", &location, Body::Chunked(payload))
        .await?;
    expect(connection, &head, 202, "PATCH")?;
    let location = head.location.context("the answer to PATCH has no Location")?;
    let head = connection
        .request("PUT", &closing(&location, digest), Body::None)
        .await?;
    expect(connection, &head, 201, "closing PUT")?;
    Ok(payload.length)
}

async fn start_upload(connection: &mut Connection, repository: &str) -> Result<String> {
    let head = connection
        .request("POST", &format!("/v2/{repository}/blobs/uploads/"), Body::None)
        .await?;
    expect(connection, &head, 202, "POST")?;
    head.location.context("the answer to POST has no Location")
}

fn closing(location: &str, digest: &str) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}digest={digest}")
}

/// Pushes a manifest under a tag or its digest.
pub(crate) async fn put_manifest(
    connection: &mut Connection,
    repository: &str,
    reference: &str,
    manifest: &[u8],
) -> Result<u64> {
    put(connection, repository, reference, MANIFEST, manifest).await
}

/// Pushes an index that names nothing, and so needs nothing, under a tag.
pub(crate) async fn put_index(connection: &mut Connection, repository: &str, tag: &str) -> Result<u64> {
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[]}}"#);
    put(connection, repository, tag, INDEX, index.as_bytes()).await
}

async fn put(
    connection: &mut Connection,
    repository: &str,
    reference: &str,
    media_type: &str,
    manifest: &[u8],
) -> Result<u64> {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let head = connection
        .request("PUT", &path, Body::Bytes(media_type, manifest))
        .await?;
    expect(connection, &head, 201, "manifest PUT")?;
    Ok(manifest.len() as u64)
}

/// A digest as a reference that a manifest is pushed to together with tags.
pub(crate) fn tagged(digest: &str, tags: impl Iterator<Item = String>) -> String {
    let tags: Vec<String> = tags.map(|tag| format!("tag={tag}")).collect();
    format!("{digest}?{}", tags.join("&"))
}

/// Gets something small, wholly.
pub(crate) async fn get(connection: &mut Connection, path: &str) -> Result<u64> {
    let head = connection.request("GET", path, Body::None).await?;
    expect(connection, &head, 200, path)?;
    Ok(connection.body().len() as u64)
}

/// An image manifest with one layer; `note` makes it unique.
pub(crate) fn manifest(config: &Descriptor, layer: &Descriptor, note: &str) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{}","size":{}}},"layers":[{{"mediaType":"{LAYER}","digest":"{}","size":{}}}],"annotations":{{"org.opencontainers.image.version":"{note}"}}}}"#,
        config.digest, config.size, layer.digest, layer.size,
    )
    .into_bytes()
}

fn expect(connection: &Connection, head: &Head, status: u16, what: &str) -> Result<()> {
    let body = connection.body();
    let excerpt = String::from_utf8_lossy(body.get(..body.len().min(300)).unwrap_or_default());
    ensure!(
        head.status == status,
        "{what} was answered {} instead of {status}: {excerpt}",
        head.status
    );
    Ok(())
}
