//! Uploads: many small requests or one large one become a blob.
//!
//! Bytes go first, the row follows: `write` streams into the blob store and commits only what is durable. A request
//! that continues an upload takes it over from a predecessor that still hangs on a dead connection.

mod finish;
mod open;
mod running;
mod write;

use std::time::Duration;

use bytes::Bytes;
use zas_core::{Algorithm, ChunkRange, Digest, Hashing, Holder, RepositoryName, UploadId};
use zas_metadata::{Epoch, INLINE_LIMIT, Progress, UploadEntry, WriterOutcome, Written};

pub(super) use open::OpenUploads;
pub(super) use running::RunningUploads;

use running::RunningGuard;
use write::End;

use super::blobs::refuse_reserved;
use super::{Registry, RegistryError, Result};
use crate::services::auth::action::Push;
use crate::services::auth::{Actor, Granted};
use crate::services::capacity::{Client, Share};
use crate::services::content::{Head, InterruptedHead, Names, RequestBody, read_head};

/// What a client is told to wait when too many uploads send at once.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What a client is told to wait when too many uploads are open: they end more slowly than requests.
const RETRY_START_AFTER: Duration = Duration::from_secs(60);

/// Which upload a request means.
#[derive(Clone, Debug)]
pub struct UploadTarget {
    /// The repository in its path.
    pub repository: RepositoryName,
    /// The upload's id.
    pub id: UploadId,
}

impl Session {
    /// The names that this request may write.
    fn names(&self) -> Names {
        Names::new(self.target.id, self.epoch)
    }
}

impl UploadTarget {
    fn of(granted: Granted<'_, Push>, id: UploadId) -> Self {
        Self {
            repository: granted.target().clone(),
            id,
        }
    }

    fn holder(&self) -> Holder {
        Holder::from(&self.repository)
    }
}

/// What the headers of a request say about its body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chunk {
    /// `Content-Range`.
    pub range: Option<ChunkRange>,
    /// `Content-Length`.
    pub length: Option<u64>,
    /// The algorithm that was announced when the upload began.
    pub algorithm: Option<Algorithm>,
    /// Who sends it.
    pub client: Client,
}

/// An upload that this request alone may write.
#[derive(Debug)]
struct Session {
    target: UploadTarget,
    epoch: Epoch,
    progress: Progress,
    /// How many runs of bytes are saved.
    extents: usize,
    guard: RunningGuard,
    _slot: Share,
}

impl Registry {
    /// Starts an upload.
    ///
    /// # Errors
    /// [`RegistryError::Reserved`] for a bucket's repository, [`RegistryError::TooManyOpenUploads`].
    pub async fn start_upload(&self, granted: Granted<'_, Push>, client: Client) -> Result<UploadId> {
        let repository = granted.target();
        refuse_reserved(repository)?;
        let place = self.open_uploads.place(client);
        let place = place.map_err(|refusal| RegistryError::TooManyOpenUploads {
            refusal,
            retry_after: RETRY_START_AFTER,
        })?;
        let id = self.ids.upload_id(self.clock.now());
        self.metadata
            .create_upload(&self.origin(&granted.actor()), &repository.into(), id)
            .await?;
        self.open_uploads.started(id, place);
        Ok(id)
    }

    /// How many bytes of an upload are durable.
    ///
    /// # Errors
    /// [`RegistryError::UploadUnknown`].
    pub async fn upload_offset(&self, granted: Granted<'_, Push>, id: UploadId) -> Result<u64> {
        self.offset_of(&UploadTarget::of(granted, id)).await
    }

    async fn offset_of(&self, target: &UploadTarget) -> Result<u64> {
        let offset = self.metadata.stat_upload(&target.holder(), target.id).await?;
        offset.ok_or(RegistryError::UploadUnknown(target.id))
    }

    /// Cancels an upload, also one that is being written to.
    ///
    /// # Errors
    /// [`RegistryError::UploadUnknown`].
    pub async fn cancel_upload(&self, granted: Granted<'_, Push>, id: UploadId) -> Result<()> {
        let target = UploadTarget::of(granted, id);
        self.offset_of(&target).await?;
        let _guard = self.running.take_over(target.id).await;
        let claim = self.metadata.claim_upload(&target.holder(), target.id).await?;
        let claim = claim.ok_or(RegistryError::UploadUnknown(target.id))?;
        accepted(
            self.metadata
                .abort_upload(&self.origin(&granted.actor()), target.id, claim.epoch)
                .await?,
            target.id,
        )?;
        self.open_uploads.ended(target.id);
        Ok(())
    }

    /// Cancels an upload that was idle when it was listed; `false` when somebody writes to it.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn expire_upload(&self, upload: &UploadEntry) -> Result<bool> {
        if self.running.contains(upload.id) {
            return Ok(false);
        }
        let origin = self.origin(&Actor::nobody());
        let outcome = self.metadata.expire_upload(&origin, upload).await?;
        if outcome != WriterOutcome::Fenced {
            self.open_uploads.ended(upload.id);
        }
        Ok(outcome == WriterOutcome::Done)
    }

    /// Appends a chunk and returns how many bytes of the upload are durable now.
    ///
    /// # Errors
    /// [`RegistryError::OutOfOrder`] leaves the upload as it was. After [`RegistryError::Interrupted`] the bytes that
    /// arrived are kept.
    pub async fn append_chunk(
        &self,
        granted: Granted<'_, Push>,
        id: UploadId,
        chunk: Chunk,
        body: RequestBody<'_>,
    ) -> Result<u64> {
        let session = self.open_session(&UploadTarget::of(granted, id), chunk).await?;
        self.receive(session, chunk, body, End::Keep).await
    }

    /// Appends what the closing request carries and makes the blob part of the repository.
    ///
    /// # Errors
    /// [`RegistryError::DigestMismatch`], [`RegistryError::OutOfOrder`] and an interruption leave the upload as it was
    /// before this request.
    pub async fn finish_upload(
        &self,
        granted: Granted<'_, Push>,
        id: UploadId,
        digest: Digest,
        chunk: Chunk,
        body: RequestBody<'_>,
    ) -> Result<()> {
        let target = UploadTarget::of(granted, id);
        let session = match self.open_session(&target, chunk).await {
            // The client repeats a request whose answer it did not get.
            Err(RegistryError::UploadUnknown(_)) if self.was_finished(&target, &digest).await? => {
                return Ok(());
            }
            session => session?,
        };
        let chunk = Chunk {
            algorithm: chunk.algorithm.or(Some(digest.algorithm())),
            ..chunk
        };
        self.receive(
            session,
            chunk,
            body,
            End::Close {
                digest,
                actor: granted.actor(),
            },
        )
        .await?;
        Ok(())
    }

    /// Takes a whole blob in one request and returns the id of its upload.
    ///
    /// # Errors
    /// Nothing remains of a blob that could not be taken.
    pub async fn push_blob(
        &self,
        granted: Granted<'_, Push>,
        client: Client,
        digest: Digest,
        length: Option<u64>,
        mut body: RequestBody<'_>,
    ) -> Result<UploadId> {
        let (repository, actor) = (granted.target(), granted.actor());
        refuse_reserved(repository)?;
        // Before anything is read: a client that waits for an invitation is spared sending what is refused.
        self.check_size(length.unwrap_or(0))?;
        let slot = self.admit(client)?;
        let id = self.ids.upload_id(self.clock.now());
        let target = UploadTarget {
            repository: repository.clone(),
            id,
        };
        let head = read_head(&mut body, INLINE_LIMIT, length)
            .await
            .map_err(interrupted)?;
        if head.is_all {
            self.finish_inline(&actor, &target, None, digest, head.into_bytes())
                .await?;
            return Ok(id);
        }
        let epoch = self
            .metadata
            .create_upload(&self.origin(&actor), &repository.into(), id)
            .await?;
        let guard = self.running.take_over(id).await;
        let session = Session {
            target,
            epoch,
            progress: Progress::default(),
            extents: 0,
            guard,
            _slot: slot,
        };
        let chunk = Chunk {
            range: None,
            length,
            algorithm: Some(digest.algorithm()),
            client,
        };
        let end = End::Close {
            digest,
            actor: actor.clone(),
        };
        let finished = self.write(session, chunk, head, body, end).await;
        if finished.is_err() {
            // Nobody learned the id, so nobody can continue.
            self.metadata
                .abort_upload(&self.origin(&actor), id, epoch)
                .await?;
        }
        finished?;
        Ok(id)
    }

    fn admit(&self, client: Client) -> Result<Share> {
        let slot = self.upload_slots.take(client, 1);
        slot.map_err(|refusal| RegistryError::TooManyUploads {
            refusal,
            retry_after: RETRY_AFTER,
        })
    }

    /// Makes this request the upload's only writer, unless its chunk does not fit: then the present writer goes on.
    async fn open_session(&self, target: &UploadTarget, chunk: Chunk) -> Result<Session> {
        let offset = self.offset_of(target).await?;
        check_position(target, chunk, offset)?;
        self.check_size(offset.saturating_add(chunk.length.unwrap_or(0)))?;
        let slot = self.admit(chunk.client)?;
        let guard = self.running.take_over(target.id).await;
        let claim = self.metadata.claim_upload(&target.holder(), target.id).await?;
        let claim = claim.ok_or(RegistryError::UploadUnknown(target.id))?;
        check_position(target, chunk, claim.progress.offset)?;
        Ok(Session {
            target: target.clone(),
            epoch: claim.epoch,
            progress: claim.progress,
            extents: claim.extents,
            guard,
            _slot: slot,
        })
    }

    async fn receive(
        &self,
        session: Session,
        chunk: Chunk,
        mut body: RequestBody<'_>,
        end: End,
    ) -> Result<u64> {
        let Some(staged) = staged_inline(&session.progress) else {
            return self.write(session, chunk, Head::default(), body, end).await;
        };
        let room = INLINE_LIMIT.saturating_sub(staged.len());
        let stop = session.guard.stop();
        let head = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(RegistryError::Superseded(session.target.id)),
            head = read_head(&mut body, room, chunk.length) => head,
        };
        let (head, interrupted) = match head {
            Ok(head) => (head, None),
            Err(broken) => {
                let InterruptedHead { received, reason } = broken;
                (received, Some(RegistryError::Interrupted(reason)))
            }
        };
        if !head.is_all && interrupted.is_none() {
            return self.write(session, chunk, head.after(staged), body, end).await;
        }
        let received = head.length();
        let content = head.after(staged).into_bytes();
        match (end, interrupted) {
            (End::Close { .. }, Some(error)) => Err(error),
            (End::Keep, interrupted) => {
                if interrupted.is_none() {
                    check_length(chunk, received)?;
                }
                let offset = self.save_inline(&session, chunk, content).await?;
                interrupted.map_or(Ok(offset), Err)
            }
            (End::Close { digest, actor }, None) => {
                check_length(chunk, received)?;
                let offset = content.len() as u64;
                self.finish_inline(&actor, &session.target, Some(session.epoch), digest, content)
                    .await?;
                Ok(offset)
            }
        }
    }

    async fn save(&self, session: &Session, progress: Progress, written: Written) -> Result<()> {
        let id = session.target.id;
        let saved = self.metadata.save_progress(id, session.epoch, progress, written);
        accepted(saved.await?, id)
    }

    async fn save_inline(&self, session: &Session, chunk: Chunk, content: Bytes) -> Result<u64> {
        let offset = content.len() as u64;
        if offset == session.progress.offset {
            return Ok(offset);
        }
        let mut hashing = Hashing::new(running_algorithm(&session.progress, chunk));
        hashing.update(&content);
        let progress = Progress {
            offset,
            hashes: vec![hashing.state()],
            inline: Some(content),
        };
        let written = Written {
            extents: Vec::new(),
            is_last: true,
        };
        self.save(session, progress, written).await?;
        Ok(offset)
    }
}

fn interrupted(broken: InterruptedHead) -> RegistryError {
    RegistryError::Interrupted(broken.reason)
}

/// The bytes so far when they are still few enough to be kept in the upload's row.
fn staged_inline(progress: &Progress) -> Option<Bytes> {
    if progress.offset == 0 {
        return Some(Bytes::new());
    }
    progress.inline.clone()
}

/// The algorithm to hash with: the one that runs, else the announced one.
fn running_algorithm(progress: &Progress, chunk: Chunk) -> Algorithm {
    let running = progress.hashes.first().map(|state| state.algorithm);
    running.or(chunk.algorithm).unwrap_or_default()
}

fn check_position(target: &UploadTarget, chunk: Chunk, offset: u64) -> Result<()> {
    let Some(range) = chunk.range else { return Ok(()) };
    if range.first != offset {
        return Err(RegistryError::OutOfOrder {
            id: target.id,
            expected: offset,
            found: range.first,
        });
    }
    match (range.length(), chunk.length) {
        (Some(expected), Some(found)) if expected != found => {
            Err(RegistryError::SizeMismatch { expected, found })
        }
        _ => Ok(()),
    }
}

fn check_length(chunk: Chunk, found: u64) -> Result<()> {
    let expected = chunk.range.and_then(ChunkRange::length).unwrap_or(found);
    if expected != found {
        return Err(RegistryError::SizeMismatch { expected, found });
    }
    Ok(())
}

fn accepted(outcome: WriterOutcome, id: UploadId) -> Result<()> {
    match outcome {
        WriterOutcome::Done => Ok(()),
        WriterOutcome::Fenced => Err(RegistryError::Superseded(id)),
        WriterOutcome::Unknown => Err(RegistryError::UploadUnknown(id)),
    }
}
