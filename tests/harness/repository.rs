//! One repository of a server, with the requests that tests make most.

use crate::{Blob, Client, Document, Package, Request, Response, media_type, with_query};

/// A repository as one client sees it.
#[derive(Clone, Debug)]
pub struct Repository {
    /// The client that speaks.
    pub client: Client,
    /// The repository's name.
    pub name: String,
}

/// An upload in progress.
#[derive(Clone, Debug)]
pub struct Upload {
    client: Client,
    /// Where the next request goes.
    pub location: String,
}

impl Repository {
    /// The repository `name` of the client's server.
    pub fn new(client: &Client, name: &str) -> Self {
        Self {
            client: client.clone(),
            name: name.to_owned(),
        }
    }

    /// The same repository seen by another client.
    pub fn seen_by(&self, client: &Client) -> Self {
        Self::new(client, &self.name)
    }

    /// The path of a blob.
    pub fn blob_path(&self, digest: &str) -> String {
        format!("/v2/{}/blobs/{digest}", self.name)
    }

    /// The path of a manifest by tag or digest.
    pub fn manifest_path(&self, reference: &str) -> String {
        format!("/v2/{}/manifests/{reference}", self.name)
    }

    /// The path that starts uploads.
    pub fn uploads_path(&self) -> String {
        format!("/v2/{}/blobs/uploads/", self.name)
    }

    /// The path of the list of tags.
    pub fn tags_path(&self) -> String {
        format!("/v2/{}/tags/list", self.name)
    }

    /// The path of the referrers of a digest.
    pub fn referrers_path(&self, digest: &str) -> String {
        format!("/v2/{}/referrers/{digest}", self.name)
    }

    /// Starts an upload.
    #[track_caller]
    pub fn start_upload(&self) -> Upload {
        let answer = self.client.post(&self.uploads_path()).send().expect_status(202);
        Upload {
            client: self.client.clone(),
            location: answer.required_header("location").to_owned(),
        }
    }

    /// Sends a whole blob with its announcement and returns whatever the server says.
    #[track_caller]
    pub fn post_blob(&self, blob: &Blob) -> Response {
        let path = with_query(&self.uploads_path(), &[("digest", &blob.digest)]);
        let request = self
            .client
            .post(&path)
            .header("content-type", "application/octet-stream");
        request.body(&blob.bytes).send()
    }

    /// Pushes a blob: with one request, or with two when the server answers 202, which asks for them.
    #[track_caller]
    pub fn push_blob(&self, blob: &Blob) -> Response {
        let answer = self.post_blob(blob).expect_status_in(&[201, 202]);
        if answer.status == 201 {
            return answer;
        }
        let location = answer.required_header("location").to_owned();
        Upload {
            client: self.client.clone(),
            location,
        }
        .finish(&blob.digest, &blob.bytes)
        .expect_status(201)
    }

    /// Sends a manifest and returns whatever the server says.
    #[track_caller]
    pub fn put_manifest(&self, document: &Document, reference: &str) -> Response {
        let request = self.client.put(&self.manifest_path(reference));
        request
            .header("content-type", &document.media_type)
            .body(&document.bytes)
            .send()
    }

    /// Pushes a manifest under a tag or digest.
    #[track_caller]
    pub fn push_manifest(&self, document: &Document, reference: &str) -> Response {
        self.put_manifest(document, reference).expect_status(201)
    }

    /// Pushes a manifest with all its blobs under a tag or digest.
    #[track_caller]
    pub fn push(&self, package: &Package, reference: &str) -> Response {
        for blob in &package.blobs {
            self.push_blob(blob);
        }
        self.push_manifest(&package.manifest, reference)
    }

    /// Pushes a manifest with all its blobs under its digest.
    #[track_caller]
    pub fn push_by_digest(&self, package: &Package) -> Response {
        self.push(package, &package.manifest.digest)
    }

    /// The answer to GET of a blob.
    #[track_caller]
    pub fn get_blob(&self, digest: &str) -> Response {
        self.client.get(&self.blob_path(digest)).send()
    }

    /// The answer to HEAD of a blob.
    #[track_caller]
    pub fn head_blob(&self, digest: &str) -> Response {
        self.client.head(&self.blob_path(digest)).send()
    }

    /// The answer to GET of a manifest.
    #[track_caller]
    pub fn get_manifest(&self, reference: &str) -> Response {
        Self::accept_all(self.client.get(&self.manifest_path(reference))).send()
    }

    /// The answer to HEAD of a manifest.
    #[track_caller]
    pub fn head_manifest(&self, reference: &str) -> Response {
        Self::accept_all(self.client.head(&self.manifest_path(reference))).send()
    }

    /// Accepts every kind of manifest, as clients do.
    fn accept_all<'a>(request: Request<'a>) -> Request<'a> {
        let types = [
            media_type::MANIFEST,
            media_type::INDEX,
            media_type::DOCKER_MANIFEST,
            media_type::DOCKER_LIST,
        ];
        request.header("accept", &types.join(", "))
    }

    /// The answer to DELETE of a manifest or tag.
    #[track_caller]
    pub fn delete_manifest(&self, reference: &str) -> Response {
        self.client.delete(&self.manifest_path(reference)).send()
    }

    /// The answer to DELETE of a blob.
    #[track_caller]
    pub fn delete_blob(&self, digest: &str) -> Response {
        self.client.delete(&self.blob_path(digest)).send()
    }
}

impl Upload {
    /// Sends bytes at the positions from `first` on, and follows the new location when they are taken.
    #[track_caller]
    pub fn send_chunk(&mut self, first: usize, bytes: &[u8]) -> Response {
        let range = format!("{first}-{}", first + bytes.len() - 1);
        let request = self
            .client
            .patch(&self.location)
            .header("content-type", "application/octet-stream");
        let answer = request.header("content-range", &range).body(bytes).send();
        self.follow(&answer);
        answer
    }

    /// Streams bytes with chunked transfer encoding and without a `Content-Range`.
    #[track_caller]
    pub fn stream(&mut self, bytes: &[u8]) -> Response {
        let request = self
            .client
            .patch(&self.location)
            .header("content-type", "application/octet-stream");
        let answer = request.chunked_body(bytes).send();
        self.follow(&answer);
        answer
    }

    /// Asks how far the upload is.
    #[track_caller]
    pub fn status(&mut self) -> Response {
        let answer = self.client.get(&self.location).send();
        self.follow(&answer);
        answer
    }

    /// Closes the upload, with `rest` as its last bytes.
    #[track_caller]
    pub fn finish(&self, digest: &str, rest: &[u8]) -> Response {
        let request = self
            .client
            .put(&self.closing_path(digest))
            .header("content-type", "application/octet-stream");
        request.body(rest).send()
    }

    /// Closes the upload with a last chunk whose position is stated.
    #[track_caller]
    pub fn finish_chunk(&self, digest: &str, first: usize, bytes: &[u8]) -> Response {
        let range = format!("{first}-{}", first + bytes.len() - 1);
        let request = self
            .client
            .put(&self.closing_path(digest))
            .header("content-type", "application/octet-stream");
        request.header("content-range", &range).body(bytes).send()
    }

    /// Cancels the upload.
    #[track_caller]
    pub fn cancel(&self) -> Response {
        self.client.delete(&self.location).send()
    }

    /// The address of the closing request.
    pub fn closing_path(&self, digest: &str) -> String {
        with_query(&self.location, &[("digest", digest)])
    }

    /// The path and query of the location, whether it was absolute or not.
    pub fn path(&self) -> &str {
        self.location
            .strip_prefix(self.client.origin())
            .unwrap_or(&self.location)
    }

    fn follow(&mut self, answer: &Response) {
        if let Some(location) = answer.header("location").filter(|_| answer.status < 300) {
            location.clone_into(&mut self.location);
        }
    }
}
