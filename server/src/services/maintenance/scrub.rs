//! Checking stored bytes against their digests: a slow pass over all blobs, and at once what a reader missed.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use zas_blobs::{BlobError, BlobStore};
use zas_blocking::HASHES;
use zas_core::{Digest, Hashing, Holder};
use zas_metadata::{BlobContent, DamageOutcome, Extent, MetadataStore, ScrubEntry, ScrubPosition};

use crate::services::content::Suspects;
use crate::services::registry::{RegistryError, Result};

/// Blobs between two saved positions.
const STEP: usize = 64;

/// Bytes read and hashed at a time.
const PIECE: usize = 1024 * 1024;

/// So many missing blobs in a row are no damage but a store that is not there, such as a volume that is not mounted.
const MISSING_IN_A_ROW: usize = 16;

/// Between two looks whether a pass is due, and after one that could not go on.
const PAUSE: Duration = Duration::from_secs(10);

/// What an operator may change about the check while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubSettings {
    /// The pause between the end of a pass and the next one; zero means never.
    pub pause: Duration,
    /// Bytes read per second at most.
    pub rate: u64,
}

/// Something the check did, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrubbed {
    /// A blob of so many bytes was checked.
    Checked(u64),
    /// A blob was found damaged.
    FoundDamaged,
    /// A damaged blob was found sound again.
    FoundSound,
    /// So many blobs are damaged.
    Damaged(usize),
}

/// Checks stored bytes.
#[derive(Debug)]
pub struct Scrubber {
    metadata: Arc<dyn MetadataStore>,
    blobs: Arc<dyn BlobStore>,
    suspects: Arc<Suspects>,
    settings: ArcSwap<ScrubSettings>,
    changed: Notify,
}

/// What the bytes of a blob turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Sound,
    Damaged,
    Missing,
}

impl Scrubber {
    /// A scrubber over the stores, which also checks what readers suspect.
    pub fn new(
        metadata: Arc<dyn MetadataStore>,
        blobs: Arc<dyn BlobStore>,
        suspects: Arc<Suspects>,
        settings: ScrubSettings,
    ) -> Self {
        Self {
            metadata,
            blobs,
            suspects,
            settings: ArcSwap::from_pointee(settings),
            changed: Notify::new(),
        }
    }

    /// Puts new settings in force at once.
    pub fn reconfigure(&self, settings: ScrubSettings) {
        if **self.settings.load() != settings {
            self.settings.store(Arc::new(settings));
            self.changed.notify_one();
        }
    }

    /// Checks until `stop` fires. `report` hears of everything that was done.
    pub async fn run(&self, stop: &CancellationToken, report: impl Fn(Scrubbed)) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.check_suspects(&report) => {}
            () = self.check_all(&report) => {}
        }
    }

    async fn check_suspects(&self, report: &impl Fn(Scrubbed)) {
        loop {
            self.check_next_suspect(report).await;
        }
    }

    /// Checks the next blob that a reader missed, as soon as there is one.
    pub(super) async fn check_next_suspect(&self, report: &impl Fn(Scrubbed)) {
        let digest = self.suspects.next().await;
        if let Err(error) = self.check_one(&digest, report).await {
            tracing::warn!(%digest, %error, "a blob that a reader missed could not be checked");
        }
    }

    async fn check_one(&self, digest: &Digest, report: &impl Fn(Scrubbed)) -> Result<()> {
        if let Some(entry) = self.metadata.inspect_blob(digest).await? {
            self.check(&entry, report).await?;
            self.count_damaged(report).await?;
        }
        Ok(())
    }

    async fn check_all(&self, report: &impl Fn(Scrubbed)) {
        loop {
            if let Err(error) = self.pass_when_due(report).await {
                tracing::warn!(%error, "the check of stored bytes stopped early and will be continued");
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Continues the pass under way, or begins one when the last lies long enough back.
    pub(super) async fn pass_when_due(&self, report: &impl Fn(Scrubbed)) -> Result<()> {
        self.count_damaged(report).await?;
        let pause = self.settings.load().pause;
        let mut position = self.metadata.scrub_position().await?;
        // The first look of all is where the first pause begins.
        self.metadata.save_scrub_position(position).await?;
        let is_resting =
            position.after.is_none() && self.metadata.now().await?.since(position.rested_at) < pause;
        if pause.is_zero() || is_resting {
            return Ok(());
        }
        let mut missing = 0;
        loop {
            let page = self.metadata.list_blobs(position.after.as_ref(), STEP).await?;
            for entry in &page.entries {
                let finding = self.check(entry, report).await?;
                missing = if finding == Finding::Missing {
                    missing + 1
                } else {
                    0
                };
                if missing == MISSING_IN_A_ROW {
                    tracing::error!(
                        "{missing} blobs in a row have no bytes: is the storage of the blobs mounted? The check waits"
                    );
                    return Ok(());
                }
                position.after = Some(entry.digest);
            }
            if !page.more {
                break;
            }
            self.metadata.save_scrub_position(position).await?;
        }
        let rested = ScrubPosition {
            after: None,
            rested_at: self.metadata.now().await?,
        };
        self.metadata.save_scrub_position(rested).await?;
        self.count_damaged(report).await?;
        tracing::info!("checked all stored bytes against their digests");
        Ok(())
    }

    async fn count_damaged(&self, report: &impl Fn(Scrubbed)) -> Result<()> {
        let page = self.metadata.list_damaged(STEP).await?;
        report(Scrubbed::Damaged(page.entries.len()));
        Ok(())
    }

    async fn check(&self, entry: &ScrubEntry, report: &impl Fn(Scrubbed)) -> Result<Finding> {
        let (finding, size) = self.find(entry).await?;
        report(Scrubbed::Checked(size));
        let digest = &entry.digest;
        if finding == Finding::Sound {
            if let (true, Some(content)) = (entry.is_damaged, &entry.content)
                && self.metadata.clear_damage(digest, content).await? == DamageOutcome::Cleared
            {
                tracing::warn!(%digest, "a damaged blob is sound again");
                report(Scrubbed::FoundSound);
            }
            return Ok(finding);
        }
        // The row decides: a blob that was replaced or collected meanwhile is left alone.
        let outcome = self.metadata.mark_damaged(digest, entry.content.as_ref()).await?;
        match outcome {
            DamageOutcome::Marked => {
                let holders = self.metadata.find_holders(digest, STEP).await?;
                let holders: Vec<_> = holders.iter().map(Holder::to_string).collect();
                tracing::error!(
                    %digest, ?finding, ?holders,
                    "found a blob damaged: push it again to any of its holders to heal it"
                );
                report(Scrubbed::FoundDamaged);
                Ok(finding)
            }
            DamageOutcome::Already => Ok(finding),
            DamageOutcome::Changed | DamageOutcome::Cleared => Ok(Finding::Sound),
        }
    }

    async fn find(&self, entry: &ScrubEntry) -> Result<(Finding, u64)> {
        match &entry.content {
            None => Ok((Finding::Damaged, 0)),
            Some(BlobContent::Inline(bytes)) => {
                let found = entry.digest.algorithm().digest(bytes);
                self.pace(bytes.len()).await;
                Ok((verdict(found, entry.digest), bytes.len() as u64))
            }
            Some(BlobContent::Extents(extents)) => self.hash(entry.digest, extents).await,
        }
    }

    async fn hash(&self, digest: Digest, extents: &[Extent]) -> Result<(Finding, u64)> {
        let (mut hashing, mut size) = (Hashing::new(digest.algorithm()), 0);
        for extent in extents {
            let reader = match self.blobs.open(extent.location).await {
                Err(BlobError::NotFound(_)) => return Ok((Finding::Missing, size)),
                reader => reader?,
            };
            let (mut position, end) = (extent.offset, extent.offset.saturating_add(extent.length));
            while position < end {
                let length = usize::try_from(end - position).unwrap_or(PIECE).min(PIECE);
                let piece = match reader.read(position, length).await {
                    Err(BlobError::TooShort { .. }) => return Ok((Finding::Damaged, size)),
                    piece => piece?,
                };
                let hashed = HASHES.run(move || {
                    hashing.update(&piece);
                    hashing
                });
                hashing = hashed
                    .await
                    .map_err(|panic| RegistryError::Task(panic.to_string()))?;
                position += length as u64;
                size += length as u64;
                self.pace(length).await;
            }
        }
        Ok((verdict(hashing.finish(), digest), size))
    }

    /// Rests for as long as reading so many bytes may take.
    async fn pace(&self, bytes: usize) {
        let rate = self.settings.load().rate.max(1);
        tokio::time::sleep(Duration::from_secs_f64(bytes as f64 / rate as f64)).await;
    }
}

fn verdict(found: Digest, expected: Digest) -> Finding {
    if found == expected {
        Finding::Sound
    } else {
        Finding::Damaged
    }
}
