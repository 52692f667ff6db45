//! Blobs: pushed in three ways, mounted, deleted.

use zas_tests::{Blob, Fact, with_query};

use super::{Step, UNREFERENCED_BLOBS, Worker, blob_path, uploads_path};

impl Worker<'_> {
    pub(super) fn push_or_delete_blob(&mut self, repository: &str) -> Step {
        let unreferenced = self.unreferenced_blobs(repository);
        if unreferenced.len() < UNREFERENCED_BLOBS && self.random.bool() {
            let recipe = self.layer_recipe();
            let blob = self.make(recipe);
            return self.push_blob(repository, &blob);
        }
        let Some(digest) = self.random.choice(unreferenced) else {
            return Ok(());
        };
        self.delete_blob(repository, &digest)
    }

    /// Deletes a blob, which may have been collected before.
    pub(crate) fn delete_blob(&self, repository: &str, digest: &str) -> Step {
        let key = Fact::blob(repository, digest);
        let request = self.client.delete(&blob_path(repository, digest));
        let answer = self.change(&[(key, None)], request, &[202, 404], &[])?;
        if answer.status == 404 && self.grace.is_none() {
            self.find(&format!(
                "{}: a blob that must be there is unknown",
                answer.request
            ));
        }
        Ok(())
    }

    pub(super) fn ensure_blob(&mut self, repository: &str, blob: &Blob) -> Step {
        let key = Fact::blob(repository, &blob.digest);
        let is_expected = self.shared.oracle().is_present(&key);
        let head = self.send(self.client.head(&blob_path(repository, &blob.digest)))?;
        match head.status {
            200 => return Ok(()),
            404 if is_expected && self.grace.is_none() => {
                self.find(&format!("{}: a blob that must be there is unknown", head.request));
            }
            404 => {}
            status => self.find(&format!("{} was answered {status}", head.request)),
        }
        self.push_blob(repository, blob)
    }

    pub(super) fn push_blob(&mut self, repository: &str, blob: &Blob) -> Step {
        let changes = [(Fact::blob(repository, &blob.digest), Some(blob.digest.clone()))];
        let uploads = uploads_path(repository);
        let client = self.client.clone();
        match self.random.u32(..3) {
            0 => {
                let path = with_query(&uploads, &[("digest", &blob.digest)]);
                self.change(&changes, client.post(&path).body(&blob.bytes), &[201], &[])
                    .map(drop)
            }
            1 => {
                let location = self.location(client.post(&uploads), 202)?;
                let path = with_query(&location, &[("digest", &blob.digest)]);
                self.change(&changes, client.put(&path).body(&blob.bytes), &[201], &[])
                    .map(drop)
            }
            _ => {
                let location = self.location(client.post(&uploads), 202)?;
                let (head, tail) = blob.bytes.split_at(blob.bytes.len() / 2);
                let location = self.location(client.patch(&location).chunked_body(head), 202)?;
                let location = self.location(client.patch(&location).chunked_body(tail), 202)?;
                let path = with_query(&location, &[("digest", &blob.digest)]);
                self.change(&changes, client.put(&path), &[201], &[]).map(drop)
            }
        }
    }

    pub(super) fn mount(&mut self, repository: &str) -> Step {
        let from = super::repository(self.random.usize(..self.shared.workers));
        let blobs = self.present(&from, |key, value| {
            matches!(key, Fact::Blob { .. }).then(|| value.to_owned())
        });
        let Some(digest) = self.random.choice(blobs).filter(|_| from != repository) else {
            return Ok(());
        };
        let path = with_query(&uploads_path(repository), &[("mount", &digest), ("from", &from)]);
        let changes = [(Fact::blob(repository, &digest), Some(digest))];
        let client = self.client.clone();
        // 202: the owner deleted it meanwhile, and an upload was started instead.
        let answer = self.change(&changes, client.post(&path), &[201], &[202])?;
        if answer.status == 202 {
            let location = answer.header("location").unwrap_or_default().to_owned();
            self.expect(client.delete(&location), 204)?;
        }
        Ok(())
    }
}
