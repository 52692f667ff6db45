//! The digests of objects that came in parts: their bytes are read once after the completion, while nobody else asks.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use zas_blocking::HASHES;
use zas_core::{Algorithm, Digest, Hashing, UploadId};

use super::{Objects, ObjectsError, Result};
use crate::services::content::{ContentRun, StoredRun};
use crate::services::maintenance::Demand;

/// How long after a failure, or without a completion, what is still to be done is looked for.
const PAUSE: Duration = Duration::from_secs(30);

/// Objects that are looked up at a time.
const PAGE: usize = 64;

/// Runs of an object that are looked up at a time.
const RUNS: usize = 1_000;

/// Bytes that are read and hashed at a time, after which clients come first.
const PIECE: usize = 4 * 1024 * 1024;

impl Objects {
    /// Computes the digests of objects in parts until `stop` fires: of each soon after its completion, one after the
    /// other. What a process leaves undone the next one does.
    pub async fn compute_digests(&self, demand: &Demand, stop: &CancellationToken) {
        loop {
            let computed = tokio::select! {
                () = stop.cancelled() => return,
                computed = self.compute_pending(demand) => computed,
            };
            if let Err(error) = computed {
                tracing::warn!(%error, "digests of objects in parts are computed later");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.completed.notified() => {}
                () = sleep(PAUSE) => {}
            }
        }
    }

    async fn compute_pending(&self, demand: &Demand) -> Result<()> {
        let mut after = None;
        loop {
            let pending = self.metadata.list_undigested(after, PAGE).await?;
            let Some(last) = pending.last() else {
                return Ok(());
            };
            after = Some(*last);
            for id in pending {
                match self.digest_of_parts(id, demand).await {
                    Ok(Some(digest)) => {
                        self.metadata.set_composite_digest(id, &digest).await?;
                    }
                    // It was deleted meanwhile.
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(upload = %id, %error, "the parts of an object cannot be read");
                    }
                }
            }
        }
    }

    async fn digest_of_parts(&self, id: UploadId, demand: &Demand) -> Result<Option<Digest>> {
        let (mut hashing, mut position) = (Hashing::new(Algorithm::Sha256), 0);
        loop {
            let Some(runs) = self.metadata.read_composite(id, position, RUNS).await? else {
                return Ok(None);
            };
            if runs.is_empty() {
                return Ok(Some(hashing.finish()));
            }
            position += runs.iter().map(zas_metadata::Run::length).sum::<u64>();
            for run in self.registry.content().open_parts(runs).await? {
                hashing = match run {
                    ContentRun::Inline(bytes) => hashed(hashing, bytes).await?,
                    ContentRun::Stored(run) => hash_run(hashing, &run, demand).await?,
                };
            }
        }
    }
}

async fn hash_run(mut hashing: Hashing, run: &StoredRun, demand: &Demand) -> Result<Hashing> {
    let (mut position, end) = (run.extent().offset, run.extent().offset + run.extent().length);
    while position < end {
        let length = usize::try_from(end - position).unwrap_or(PIECE).min(PIECE);
        let read_and_hash = async {
            let bytes = run.open().await?.read(position, length).await?;
            hashed(hashing, bytes).await
        };
        hashing = demand.give_way(read_and_hash).await?;
        position += length as u64;
    }
    Ok(hashing)
}

async fn hashed(mut hashing: Hashing, bytes: Bytes) -> Result<Hashing> {
    let hashed = HASHES.run(move || {
        hashing.update(&bytes);
        hashing
    });
    hashed
        .await
        .map_err(|panic| ObjectsError::Task(panic.to_string()))
}
