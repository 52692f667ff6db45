//! Uploads that stay open over crashes.

use zas_tests::{Fact, random_bytes, with_query};

use super::{OPEN_UPLOADS, Step, Worker, blob_path, uploads_path};
use crate::uploads::{OpenUpload, Recipe, State};

impl Worker<'_> {
    pub(super) fn open_or_close_upload(&mut self, repository: &str) -> Step {
        let open = self.shared.uploads().open_in(repository);
        if open.len() >= OPEN_UPLOADS {
            return self
                .random
                .choice(open)
                .map_or(Ok(()), |number| self.close_upload(number));
        }
        let location = self.location(self.client.post(&uploads_path(repository)), 202)?;
        let recipe = Recipe {
            size: self.random.usize(1_000..400_000),
            ..self.small_recipe()
        };
        let digest = self.make(recipe).digest;
        let upload = OpenUpload {
            repository: repository.to_owned(),
            location,
            recipe,
            digest,
            acknowledged: 0,
            sent: 0,
            state: State::Open,
        };
        let number = self.shared.uploads().add(upload);
        self.append(number)
    }

    pub(super) fn continue_upload(&mut self, repository: &str) -> Step {
        let open = self.shared.uploads().open_in(repository);
        self.random
            .choice(open)
            .map_or(Ok(()), |number| self.append(number))
    }

    /// Sends the next piece of an upload, never the last byte.
    pub(crate) fn append(&mut self, number: u64) -> Step {
        let Some(upload) = self.shared.uploads().get(number).cloned() else {
            return Ok(());
        };
        let (start, size) = (upload.acknowledged as usize, upload.recipe.size);
        let left = size - start;
        if left < 20 {
            return Ok(());
        }
        let end = start + self.random.usize(2..left);
        let bytes = random_bytes(upload.recipe.seed, size);
        let piece = bytes.get(start..end).unwrap_or_default();
        self.shared
            .uploads()
            .update(number, |upload| upload.sent = end as u64);
        let client = self.client.clone();
        let request = client
            .patch(&upload.location)
            .header("content-range", &format!("{start}-{}", end - 1));
        let location = self.location(request.body(piece), 202)?;
        self.shared.uploads().update(number, |upload| {
            upload.acknowledged = end as u64;
            upload.location = location;
        });
        Ok(())
    }

    /// Sends the rest of an upload with its closing request.
    pub(crate) fn close_upload(&mut self, number: u64) -> Step {
        let Some(upload) = self.shared.uploads().get(number).cloned() else {
            return Ok(());
        };
        let bytes = random_bytes(upload.recipe.seed, upload.recipe.size);
        let rest = bytes.get(upload.acknowledged as usize..).unwrap_or_default();
        self.shared.uploads().update(number, |upload| {
            upload.sent = bytes.len() as u64;
            upload.state = State::Closing;
        });
        let changes = [(
            Fact::blob(&upload.repository, &upload.digest),
            Some(upload.digest.clone()),
        )];
        let path = with_query(&upload.location, &[("digest", &upload.digest)]);
        let client = self.client.clone();
        self.change(&changes, client.put(&path).body(rest), &[201], &[])?;
        self.shared.uploads().remove(number);
        let answer = self.send(client.get(&blob_path(&upload.repository, &upload.digest)))?;
        if answer.status != 200 || answer.body != bytes {
            self.find(&format!(
                "{}: not what was uploaded in pieces ({})",
                answer.request, answer.status
            ));
        }
        Ok(())
    }

    pub(super) fn cancel_upload(&mut self, repository: &str) -> Step {
        let open = self.shared.uploads().open_in(repository);
        let Some(number) = self.random.choice(open) else {
            return Ok(());
        };
        let Some(upload) = self.shared.uploads().get(number).cloned() else {
            return Ok(());
        };
        self.shared
            .uploads()
            .update(number, |upload| upload.state = State::Cancelling);
        self.expect(self.client.delete(&upload.location), 204)?;
        self.shared
            .uploads()
            .update(number, |upload| upload.state = State::Cancelled);
        Ok(())
    }
}
