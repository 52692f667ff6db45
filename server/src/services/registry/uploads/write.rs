//! Streaming a request into the blob store and committing what became durable.

use std::time::Duration;

use tokio::sync::oneshot;
use zas_blobs::{Batches, batches};
use zas_core::{Digest, Hashing};
use zas_metadata::{Extent, MAX_EXTENTS, Progress, Written};

use super::{Chunk, Session, accepted, check_length, running_algorithm};
use crate::services::auth::Actor;
use crate::services::content::{Bound, Head, Names, RequestBody, Transfer, Transferring};
use crate::services::registry::{Registry, RegistryError, Result};

/// A request that sends for longer than this says so, lest its upload expires.
const TOUCH_INTERVAL: Duration = Duration::from_secs(600);

/// With chunks of this length an upload of 156 GiB fits.
const MIN_CHUNK: u64 = 16 * 1024 * 1024;

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

/// What a request has written, all of it durable.
#[derive(Debug)]
pub(super) struct Stored {
    /// How long the content is so far.
    pub(super) offset: u64,
    /// The hash of all of it.
    pub(super) hashing: Hashing,
    /// The runs at its end that are not saved.
    pub(super) unsaved: Vec<Extent>,
}

/// Where the bytes of a request come from and go to.
#[derive(Debug)]
struct Source {
    names: Names,
    batches: Batches,
    expected: Option<u64>,
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
        let stored = Stored {
            offset: starts_at,
            hashing,
            unsaved: Vec::new(),
        };
        let source = Source {
            names: session.names(),
            batches,
            expected,
        };
        let writing = tokio::spawn(
            self.clone()
                .write_and_commit(session, stored, source, end, verdict),
        );

        let mut transferring = Transferring::new(self.content.budget().clone(), sender);
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

    async fn write_and_commit(
        self,
        session: Session,
        mut stored: Stored,
        source: Source,
        end: End,
        verdict: oneshot::Receiver<Verdict>,
    ) -> Result<u64> {
        stored = tokio::select! {
            stored = self.write_runs(&session, stored, source, &end) => stored?,
            error = self.keep_alive(&session) => return Err(error),
        };
        let verdict = verdict
            .await
            .unwrap_or_else(|_| Verdict::Interrupted("the client went away".to_owned()));
        match (verdict, end) {
            (Verdict::Refused(error), _) => Err(error),
            (Verdict::Complete, End::Keep) => {
                self.keep(&session, &mut stored, true).await?;
                Ok(stored.offset)
            }
            (Verdict::Interrupted(reason), End::Keep) => {
                self.keep(&session, &mut stored, true).await?;
                Err(RegistryError::Interrupted(reason))
            }
            // A client that repeats its closing request sends the same bytes again, so they must not count twice.
            (Verdict::Interrupted(reason), End::Close { .. }) => Err(RegistryError::Interrupted(reason)),
            (Verdict::Complete, End::Close { digest, actor }) => {
                let offset = stored.offset;
                self.finish_stored(&actor, &session.target, session.epoch, digest, stored)
                    .await?;
                Ok(offset)
            }
        }
    }

    /// Writes all bytes. Where the upload stays open, a long request is cut into runs, and all but the last are saved
    /// at once; a request that closes it loses nothing acknowledged when it breaks off.
    async fn write_runs(
        &self,
        session: &Session,
        mut stored: Stored,
        mut source: Source,
        end: &End,
    ) -> Result<Stored> {
        let most = match end {
            End::Keep => self.content.run_bytes(),
            End::Close { .. } => u64::MAX,
        };
        let (start, mut saved) = (stored.offset, session.extents);
        loop {
            if saved >= MAX_EXTENTS {
                return refuse_more(saved, source, stored).await;
            }
            let left = |expected: u64| expected.saturating_sub(stored.offset - start);
            let bound = Bound {
                most,
                expected: source.expected.map(left),
            };
            let Source { names, batches, .. } = &mut source;
            let writing = self.content.write_run(names, batches, stored.hashing, bound);
            let (run, hashing) = writing.await?;
            stored.hashing = hashing;
            let Some(run) = run else { return Ok(stored) };
            stored.offset += run.length;
            stored.unsaved.push(run);
            if run.length < most {
                return Ok(stored);
            }
            saved += 1;
            self.keep(session, &mut stored, false).await?;
        }
    }

    /// Shows signs of life while bytes are written; ends only with an error.
    async fn keep_alive(&self, session: &Session) -> RegistryError {
        loop {
            tokio::time::sleep(TOUCH_INTERVAL).await;
            if let Err(error) = self.touch(session).await {
                return error;
            }
        }
    }

    async fn keep(&self, session: &Session, stored: &mut Stored, is_last: bool) -> Result<()> {
        if stored.unsaved.is_empty() {
            return Ok(());
        }
        let progress = Progress {
            offset: stored.offset,
            hashes: vec![stored.hashing.state()],
            inline: None,
        };
        let written = Written {
            extents: std::mem::take(&mut stored.unsaved),
            is_last,
        };
        self.save(session, progress, written).await
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

/// An upload with as many runs as there may be takes no more bytes, but may be closed.
async fn refuse_more(pieces: usize, mut source: Source, stored: Stored) -> Result<Stored> {
    match source.batches.recv().await {
        None => Ok(stored),
        Some(_) => Err(RegistryError::TooManyPieces {
            pieces,
            min_length: MIN_CHUNK,
        }),
    }
}

fn hashing(progress: &Progress, starts_at: u64, chunk: Chunk) -> Result<Hashing> {
    match progress.hashes.first() {
        Some(state) if starts_at > 0 => Ok(Hashing::resume(state)?),
        _ => Ok(Hashing::new(running_algorithm(progress, chunk))),
    }
}
