//! Images, referrers and tags.

use std::time::Instant;

use serde_json::json;
use zas_tests::{Algorithm, Blob, Client, Document, Fact, Request, Response, media_type, with_query};

use super::{MANIFESTS, Step, TAGS, Worker, blob_path};
use crate::oracle::Manifest;

impl Worker<'_> {
    pub(super) fn push_or_delete_image(&mut self, repository: &str) -> Step {
        if self.manifests(repository).len() < MANIFESTS {
            return self.push_image(repository, TAGS, None);
        }
        self.delete_some_manifest(repository)
    }

    pub(super) fn push_referrer(&mut self, repository: &str) -> Step {
        let manifests = self.manifests(repository);
        let subject = self
            .random
            .choice(manifests)
            .unwrap_or_else(|| Blob::random(self.random.u64(..), 8).digest);
        self.push_image(repository, TAGS, Some(subject))
    }

    pub(super) fn push_image(&mut self, repository: &str, tags: usize, subject: Option<String>) -> Step {
        let first_answer = Instant::now();
        let layers = self.random.usize(1..=3);
        let mut blobs = Vec::new();
        for number in 0..=layers {
            let recipe = if number == 0 {
                self.small_recipe()
            } else {
                self.layer_recipe()
            };
            let blob = self.make(recipe);
            self.ensure_blob(repository, &blob)?;
            blobs.push(blob);
        }
        let manifest = self.manifest(&blobs, subject);
        let document = manifest.document.clone();
        self.shared.oracle().add_manifest(manifest);
        let mut changes = vec![(
            Fact::manifest(repository, &document.digest),
            Some(document.digest.clone()),
        )];
        let names = self.some_tags(tags);
        let tagged = |tag: &String| (Fact::tag(repository, tag), Some(document.digest.clone()));
        changes.extend(names.iter().map(tagged));
        let path = manifest_path(repository, &document, &names);
        let client = self.client.clone();
        let request = put_manifest(&client, &path, &document);
        let answer = self.change(&changes, request, &[201], &[400])?;
        if answer.status == 400 {
            self.judge_refusal(&answer, first_answer);
        }
        Ok(())
    }

    /// Blobs may only be missing when the promised time between them and their manifest was exceeded.
    fn judge_refusal(&self, answer: &Response, first_answer: Instant) {
        let is_late = self.grace.is_some_and(|grace| first_answer.elapsed() > grace);
        if !is_late || !answer.text().contains("MANIFEST_BLOB_UNKNOWN") {
            let took = first_answer.elapsed();
            self.find(&format!(
                "{} was refused {took:?} after its blobs: {}",
                answer.request,
                answer.text()
            ));
        }
    }

    fn manifest(&mut self, blobs: &[Blob], subject: Option<String>) -> Manifest {
        let config = blobs.first().map(|blob| blob.descriptor(media_type::CONFIG));
        let layers: Vec<_> = blobs
            .iter()
            .skip(1)
            .map(|blob| blob.descriptor(media_type::LAYER))
            .collect();
        let mut content = json!({
            "schemaVersion": 2,
            "mediaType": media_type::MANIFEST,
            "config": config,
            "layers": layers,
            "annotations": {"nonce": self.random.u64(..).to_string()},
        });
        if let Some((subject, fields)) = subject.as_ref().zip(content.as_object_mut()) {
            let descriptor = json!({"mediaType": media_type::MANIFEST, "digest": subject, "size": 2});
            fields.insert("subject".to_owned(), descriptor);
            fields.insert("artifactType".to_owned(), json!("application/vnd.example.note"));
        }
        let document = Document::new(&content, media_type::MANIFEST, Algorithm::Sha256);
        Manifest {
            document,
            blobs: blobs.iter().map(|blob| blob.digest.clone()).collect(),
            subject,
        }
    }

    /// Pulls an image that nobody deletes meanwhile: it is there wholly.
    pub(super) fn pull_some_image(&mut self, repository: &str) -> Step {
        let manifests = self.manifests(repository);
        let Some(digest) = self.random.choice(manifests) else {
            return Ok(());
        };
        let Some(manifest) = self.shared.oracle().manifest(&digest).cloned() else {
            return Ok(());
        };
        self.pull(&format!("/v2/{repository}/manifests/{digest}"), &digest)?;
        for blob in &manifest.blobs {
            self.pull(&blob_path(repository, blob), blob)?;
        }
        Ok(())
    }

    fn pull(&self, path: &str, digest: &str) -> Step {
        let answer = self.send(self.client.get(path))?;
        if answer.status != 200 || Algorithm::Sha256.digest(&answer.body) != digest {
            self.find(&format!(
                "{} was answered {} with {} bytes that do not have its digest",
                answer.request,
                answer.status,
                answer.body.len()
            ));
        }
        Ok(())
    }

    pub(super) fn move_tag(&mut self, repository: &str) -> Step {
        let manifests = self.manifests(repository);
        let Some(digest) = self.random.choice(manifests) else {
            return Ok(());
        };
        let Some(manifest) = self.shared.oracle().manifest(&digest).cloned() else {
            return Ok(());
        };
        let tag = format!("t{}", self.random.usize(..TAGS));
        let changes = [
            (Fact::manifest(repository, &digest), Some(digest.clone())),
            (Fact::tag(repository, &tag), Some(digest)),
        ];
        let path = manifest_path(repository, &manifest.document, &[tag]);
        let client = self.client.clone();
        self.change(
            &changes,
            put_manifest(&client, &path, &manifest.document),
            &[201],
            &[],
        )
        .map(drop)
    }

    pub(super) fn delete_tag(&mut self, repository: &str) -> Step {
        let tags: Vec<String> = self.present(repository, |key, _| match key {
            Fact::Tag { tag, .. } => Some(tag.clone()),
            _ => None,
        });
        let Some(tag) = self.random.choice(tags) else {
            return Ok(());
        };
        let client = self.client.clone();
        let request = client.delete(&format!("/v2/{repository}/manifests/{tag}"));
        self.change(&[(Fact::tag(repository, &tag), None)], request, &[202], &[])
            .map(drop)
    }

    pub(super) fn delete_some_manifest(&mut self, repository: &str) -> Step {
        let manifests = self.manifests(repository);
        let Some(digest) = self.random.choice(manifests) else {
            return Ok(());
        };
        self.delete_manifest(repository, &digest)
    }

    /// Deletes a manifest, and with it every tag that leads to it; nobody else may be changing the repository.
    pub(crate) fn delete_manifest(&self, repository: &str, digest: &str) -> Step {
        let mut changes = vec![(Fact::manifest(repository, digest), None)];
        changes.extend(self.present(repository, |key, value| {
            let leads_there = matches!(key, Fact::Tag { .. }) && value == digest;
            leads_there.then(|| (key.clone(), None))
        }));
        // Tags of which nobody knows whether they lead there go with it if they do.
        let uncertain = self.shared.oracle().begin_possible_deletions(repository, digest);
        let request = self
            .client
            .delete(&format!("/v2/{repository}/manifests/{digest}"));
        let deleted = self.change(&changes, request, &[202], &[]);
        for ticket in uncertain {
            self.shared.oracle().fail(ticket);
        }
        deleted.map(drop)
    }
}

/// By tag with one tag, else by digest with the tags as parameters.
fn manifest_path(repository: &str, document: &Document, tags: &[String]) -> String {
    if let [tag] = tags {
        return format!("/v2/{repository}/manifests/{tag}");
    }
    let parameters: Vec<(&str, &str)> = tags.iter().map(|tag| ("tag", tag.as_str())).collect();
    with_query(
        &format!("/v2/{repository}/manifests/{}", document.digest),
        &parameters,
    )
}

fn put_manifest<'a>(client: &'a Client, path: &str, document: &Document) -> Request<'a> {
    client
        .put(path)
        .header("content-type", &document.media_type)
        .body(&document.bytes)
}
