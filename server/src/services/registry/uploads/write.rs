//! Streaming a request into the blob store and committing what became durable.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use zas_blobs::{Append, Appended, Checkpoint, batches};
use zas_core::{Digest, Hashing};
use zas_metadata::Progress;

use super::body::{Head, RequestBody, Transfer, Transferring};
use super::{Chunk, Session, accepted, check_length, running_algorithm};
use crate::services::auth::Actor;
use crate::services::registry::{Registry, RegistryError, Result};

/// A request that sends for longer than this says so, lest its upload expires.
const TOUCH_INTERVAL: Duration = Duration::from_secs(600);

/// What happens at the end of the bytes.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// The upload stays open.
    Keep,
    /// The upload becomes a blob.
    Close {
        /// The digest that the client named.
        digest: Digest,
        /// Who pushes.
        actor: Actor,
    },
}

/// What the receiving side tells the writing side when there are no more bytes.
#[derive(Debug)]
enum Verdict {
    Complete,
    Interrupted(String),
    Refused(RegistryError),
}

impl Registry {
    /// Streams `head` and the rest of `body` into the blob store.
    ///
    /// The writing side is a task of its own, so that a request that is dropped in the middle still saves how far it
    /// got, and so that nothing is cut off between the bytes and their row.
    pub(super) async fn write(
        &self,
        session: Session,
        chunk: Chunk,
        head: Head,
        mut body: RequestBody<'_>,
        end: End,
    ) -> Result<u64> {
        let target = session.target.clone();
        let stop = session.guard.stop();
        let limit = self.bytes_left(&session);
        let starts_at = if session.progress.inline.is_some() {
            0
        } else {
            session.progress.offset
        };
        // Bytes that earlier requests brought and that now move from the row into the blob store stand in the head.
        let moved = session.progress.offset - starts_at;
        let hashing = hashing(&session.progress, starts_at, chunk)?;

        let (sender, batches) = batches();
        let (verdict_sender, verdict) = oneshot::channel();
        let expected = chunk.length.map(|length| length + moved);
        let append = Append {
            name: target.id,
            offset: starts_at,
            hashes: vec![hashing],
            batches,
            expected,
            checkpoints: None,
        };
        let writing = tokio::spawn(self.clone().append_and_commit(session, append, end, verdict));

        let mut transferring = Transferring::new(self.budget.clone(), sender);
        let transfer = transferring.run(head, &mut body, limit, &stop).await;
        let sent = transferring.total().saturating_sub(moved);
        drop(transferring);
        let verdict = match transfer {
            // The writing side knows why it stopped taking bytes.
            Transfer::Rejected => None,
            Transfer::Complete => {
                Some(check_length(chunk, sent).map_or_else(Verdict::Refused, |()| Verdict::Complete))
            }
            Transfer::Interrupted(reason) => Some(Verdict::Interrupted(reason)),
            Transfer::Superseded => Some(Verdict::Refused(RegistryError::Superseded(target.id))),
            Transfer::TooLarge => Some(Verdict::Refused(RegistryError::BlobTooLarge {
                limit: self.settings().blob_size.unwrap_or(limit),
            })),
        };
        if let Some(verdict) = verdict {
            // A writing side that failed already is not listening, and reports through its result.
            let _ = verdict_sender.send(verdict);
        }
        writing
            .await
            .map_err(|panic| RegistryError::Task(panic.to_string()))?
    }

    fn bytes_left(&self, session: &Session) -> u64 {
        let limit = self.settings().blob_size.unwrap_or(u64::MAX);
        // Inline bytes are sent again into the blob store, so they count with this request.
        let before = if session.progress.inline.is_some() {
            0
        } else {
            session.progress.offset
        };
        limit.saturating_sub(before)
    }

    async fn append_and_commit(
        self,
        session: Session,
        mut append: Append,
        end: End,
        verdict: oneshot::Receiver<Verdict>,
    ) -> Result<u64> {
        let (sender, checkpoints) = mpsc::channel(1);
        if matches!(end, End::Keep) {
            append.checkpoints = Some(sender);
        }
        let append = self.blobs.append(append);
        let appended = tokio::select! {
            appended = append => appended?,
            error = self.follow(&session, checkpoints) => return Err(error),
        };
        let verdict = verdict
            .await
            .unwrap_or_else(|_| Verdict::Interrupted("the client went away".to_owned()));
        match (verdict, end) {
            (Verdict::Refused(error), _) => Err(error),
            (Verdict::Complete, End::Keep) => self.keep(&session, appended).await,
            (Verdict::Interrupted(reason), End::Keep) => {
                self.keep(&session, appended).await?;
                Err(RegistryError::Interrupted(reason))
            }
            // A client that repeats its closing request sends the same bytes again, so they must not count twice.
            (Verdict::Interrupted(reason), End::Close { .. }) => Err(RegistryError::Interrupted(reason)),
            (Verdict::Complete, End::Close { digest, actor }) => {
                let offset = appended.offset;
                self.finish_stored(&actor, &session.target, session.epoch, digest, appended)
                    .await?;
                Ok(offset)
            }
        }
    }

    /// Saves checkpoints and shows signs of life while bytes are written; ends only with an error.
    async fn follow(&self, session: &Session, mut checkpoints: mpsc::Receiver<Checkpoint>) -> RegistryError {
        loop {
            let saved = tokio::select! {
                Some(checkpoint) = checkpoints.recv() => {
                    let appended = Appended { offset: checkpoint.offset, hashes: checkpoint.hashes };
                    self.keep(session, appended).await.map(drop)
                }
                () = tokio::time::sleep(TOUCH_INTERVAL) => self.touch(session).await,
            };
            if let Err(error) = saved {
                return error;
            }
        }
    }

    async fn keep(&self, session: &Session, appended: Appended) -> Result<u64> {
        let hashes = appended.hashes.iter().map(Hashing::state).collect();
        let progress = Progress {
            offset: appended.offset,
            hashes,
            inline: None,
        };
        accepted(
            self.metadata
                .save_progress(session.target.id, session.epoch, progress)
                .await?,
            session.target.id,
        )?;
        Ok(appended.offset)
    }

    async fn touch(&self, session: &Session) -> Result<()> {
        accepted(
            self.metadata
                .touch_upload(session.target.id, session.epoch)
                .await?,
            session.target.id,
        )
    }
}

fn hashing(progress: &Progress, starts_at: u64, chunk: Chunk) -> Result<Hashing> {
    match progress.hashes.first() {
        Some(state) if starts_at > 0 => Ok(Hashing::resume(state)?),
        _ => Ok(Hashing::new(running_algorithm(progress, chunk))),
    }
}
