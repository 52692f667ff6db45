//! Content of one shape, taken through its whole life: push, list, ask, pull, refer, delete.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zas_tests::{Blob, Document, Package, Repository, media_type, with_query};

use crate::cases::{blobs, manifests, referrers};

/// Content to push, in an order that every registry accepts.
#[derive(Debug, Default)]
pub(crate) struct DataSet {
    blobs: Vec<Blob>,
    manifests: Vec<Document>,
    tags: Vec<(String, String)>,
    has_tag_parameters: bool,
}

impl DataSet {
    /// Adds a manifest with its blobs.
    pub(crate) fn package(mut self, package: Package) -> Self {
        for blob in package.blobs {
            if !self.blobs.contains(&blob) {
                self.blobs.push(blob);
            }
        }
        self.document(package.manifest)
    }

    /// Adds a manifest or index whose content is there already, or never will be.
    pub(crate) fn document(mut self, document: Document) -> Self {
        self.manifests.push(document);
        self
    }

    /// Tags the manifest added last.
    pub(crate) fn tag(mut self, tag: &str) -> Self {
        let digest = self
            .manifests
            .last()
            .expect("a manifest was added")
            .digest
            .clone();
        self.tags.push((tag.to_owned(), digest));
        self
    }

    /// Leaves out a blob that some manifest needs.
    pub(crate) fn without_blob(mut self, digest: &str) -> Self {
        self.blobs.retain(|blob| blob.digest != digest);
        self
    }

    /// Sets tags by query parameters of the push by digest.
    pub(crate) fn with_tag_parameters(mut self) -> Self {
        self.has_tag_parameters = true;
        self
    }

    /// Takes the content through its whole life.
    pub(crate) fn exercise(&self, repository: &Repository) {
        self.push(repository);
        self.list(repository);
        self.pull(repository);
        self.refer(repository);
        self.delete(repository);
    }

    fn push(&self, repository: &Repository) {
        for (number, blob) in self.blobs.iter().enumerate() {
            let answer = push_in_style(repository, blob, number);
            blobs::expect_pushed(repository, blob, answer);
        }
        for document in &self.manifests {
            self.push_by_digest(repository, document);
        }
        if self.has_tag_parameters {
            return;
        }
        for (tag, digest) in &self.tags {
            let document = self.document_of(digest);
            manifests::expect_pushed(repository, document, repository.put_manifest(document, tag));
        }
    }

    fn push_by_digest(&self, repository: &Repository, document: &Document) {
        let own_tags = self
            .tags
            .iter()
            .filter(|(_, digest)| self.has_tag_parameters && *digest == document.digest);
        let parameters: Vec<(&str, &str)> = own_tags.map(|(tag, _)| ("tag", tag.as_str())).collect();
        let path = with_query(&repository.manifest_path(&document.digest), &parameters);
        let request = repository
            .client
            .put(&path)
            .header("content-type", &document.media_type);
        let mut answer = request.chunked_body(&document.bytes).send();
        if let Some(subject) = document.json()["subject"]["digest"].as_str() {
            answer = answer.expect_header("oci-subject", subject);
        }
        let named: Vec<&str> = answer
            .header_values("oci-tag")
            .flat_map(|value| value.split(", "))
            .collect();
        let expected: Vec<&str> = parameters.iter().map(|(_, tag)| *tag).collect();
        assert_eq!(named, expected, "{}", answer.request);
        manifests::expect_pushed(repository, document, answer);
    }

    fn list(&self, repository: &Repository) {
        let mut expected: Vec<&str> = self.tags.iter().map(|(tag, _)| tag.as_str()).collect();
        expected.sort_unstable();
        let listed = repository
            .client
            .get(&repository.tags_path())
            .send()
            .expect_status(200)
            .json();
        assert_eq!(listed["tags"], Value::from(expected.clone()));
        if let Some(last) = expected.first() {
            let path = with_query(&repository.tags_path(), &[("last", last)]);
            let listed = repository.client.get(&path).send().expect_status(200).json();
            assert_eq!(listed["tags"], Value::from(expected[1..].to_vec()));
        }
    }

    fn pull(&self, repository: &Repository) {
        for (tag, digest) in &self.tags {
            manifests::expect_served(repository, self.document_of(digest), tag);
        }
        for document in &self.manifests {
            manifests::expect_served(repository, document, &document.digest);
        }
        for blob in &self.blobs {
            blobs::expect_served(repository, blob);
        }
    }

    fn refer(&self, repository: &Repository) {
        for (subject, expected) in self.referrers() {
            let found = sorted(referrers::descriptors(&referrers::ask(repository, &subject, &[])));
            assert_eq!(found, sorted(expected.clone()), "referrers of {subject}");
            for own_type in expected.iter().filter_map(|own| own["artifactType"].as_str()) {
                let answer = referrers::ask(repository, &subject, &[own_type]);
                let answer = answer.expect_header("oci-filters-applied", "artifactType");
                let matching = expected
                    .iter()
                    .filter(|own| own["artifactType"] == own_type)
                    .cloned()
                    .collect();
                assert_eq!(
                    sorted(referrers::descriptors(&answer)),
                    sorted(matching),
                    "{own_type} of {subject}"
                );
            }
        }
    }

    /// What the registry must list, by subject.
    fn referrers(&self) -> BTreeMap<String, Vec<Value>> {
        let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for document in &self.manifests {
            if let Some(subject) = document.json()["subject"]["digest"].as_str() {
                all.entry(subject.to_owned())
                    .or_default()
                    .push(listed_descriptor(document));
            }
        }
        all
    }

    fn delete(&self, repository: &Repository) {
        for (tag, _) in &self.tags {
            repository.delete_manifest(tag).expect_status(202);
            repository.head_manifest(tag).expect_status(404);
        }
        for document in self.manifests.iter().rev() {
            repository.delete_manifest(&document.digest).expect_status(202);
            repository.head_manifest(&document.digest).expect_status(404);
        }
        for blob in &self.blobs {
            repository.delete_blob(&blob.digest).expect_status(202);
            repository.head_blob(&blob.digest).expect_status(404);
        }
        for subject in self.referrers().keys() {
            let left = referrers::descriptors(&referrers::ask(repository, subject, &[]));
            assert!(left.is_empty(), "deleted manifests are still listed: {left:?}");
        }
    }

    fn document_of(&self, digest: &str) -> &Document {
        self.manifests
            .iter()
            .find(|document| document.digest == digest)
            .expect("tags name manifests of the set")
    }
}

/// Every way to push takes its turn.
fn push_in_style(repository: &Repository, blob: &Blob, number: usize) -> zas_tests::Response {
    if number.is_multiple_of(4) {
        return repository.post_blob(blob);
    }
    let mut upload = repository.start_upload();
    let (first, second) = blob.bytes.split_at(blob.bytes.len() / 2);
    match number % 4 {
        1 => return upload.finish(&blob.digest, &blob.bytes),
        2 => upload.stream(&blob.bytes).expect_status(202),
        _ if first.is_empty() => return upload.finish(&blob.digest, second),
        _ => {
            upload.send_chunk(0, first).expect_status(202);
            return upload.finish_chunk(&blob.digest, first.len(), second);
        }
    };
    upload.finish(&blob.digest, &[])
}

/// The descriptor of the referrers API (distribution-spec, "Listing Referrers").
fn listed_descriptor(document: &Document) -> Value {
    let content = document.json();
    let mut descriptor: Map<String, Value> = document.descriptor().as_object().cloned().unwrap_or_default();
    let own_type = content["artifactType"].as_str().filter(|own| !own.is_empty());
    let config_type = content["config"]["mediaType"]
        .as_str()
        .filter(|_| document.media_type == media_type::MANIFEST);
    if let Some(artifact_type) = own_type.or(config_type) {
        descriptor.insert("artifactType".to_owned(), Value::from(artifact_type));
    }
    if let Some(annotations) = content.get("annotations") {
        descriptor.insert("annotations".to_owned(), annotations.clone());
    }
    Value::Object(descriptor)
}

fn sorted(mut descriptors: Vec<Value>) -> Vec<Value> {
    descriptors.sort_by_key(|descriptor| descriptor["digest"].to_string());
    descriptors
}
