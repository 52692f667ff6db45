//! Reading stored content, run by run.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OnceCell;
use zas_blobs::{BlobError, BlobReader, BlobStore};
use zas_core::{Digest, LocationName};
use zas_metadata::{Extent, Run};

use super::readers::Hold;
use super::{Content, Suspects};

/// A run of the bytes of a content.
#[derive(Clone, Debug)]
pub enum ContentRun {
    /// In memory.
    Inline(Bytes),
    /// In the blob store.
    Stored(StoredRun),
}

/// A run of the stored bytes of a content, opened when it is read first and closed when it is dropped. As long as one run of a
/// content is there, this process deletes none of the content's names.
#[derive(Clone)]
pub struct StoredRun(Arc<Shared>);

struct Shared {
    extent: Extent,
    blobs: Arc<dyn BlobStore>,
    reader: OnceCell<Arc<dyn BlobReader>>,
    /// Which blob misses its bytes when they are not there; none for the parts of an object.
    blob: Option<Digest>,
    suspects: Arc<Suspects>,
    _hold: Arc<Hold>,
}

impl Content {
    /// The runs of a blob, in order. The first is open, so that bytes which are not there are missed before anything is
    /// sent; a blob that misses others is checked at once.
    ///
    /// # Errors
    /// [`BlobError::NotFound`] and [`BlobError::TooShort`] when the bytes are not where the row says.
    pub async fn open(&self, blob: &Digest, extents: &[Extent]) -> Result<Vec<StoredRun>, BlobError> {
        let hold = self.hold(extents.iter());
        let run = |extent: &Extent| self.run(*extent, Some(*blob), &hold);
        let runs: Vec<StoredRun> = extents.iter().map(run).collect();
        if let Some(first) = runs.first() {
            first.open().await?;
        }
        Ok(runs)
    }

    /// The runs of an object in parts, in order. The first is open, as of [`Self::open`].
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub async fn open_parts(&self, runs: Vec<Run>) -> Result<Vec<ContentRun>, BlobError> {
        let hold = self.hold(runs.iter().filter_map(extent_of));
        let run = |run| match run {
            Run::Inline(bytes) => ContentRun::Inline(bytes),
            Run::Extent(extent) => ContentRun::Stored(self.run(extent, None, &hold)),
        };
        let runs: Vec<ContentRun> = runs.into_iter().map(run).collect();
        if let Some(ContentRun::Stored(first)) = runs.first() {
            first.open().await?;
        }
        Ok(runs)
    }

    fn hold<'a>(&self, extents: impl Iterator<Item = &'a Extent>) -> Arc<Hold> {
        Arc::new(self.readers.hold(extents.map(|extent| extent.location)))
    }

    fn run(&self, extent: Extent, blob: Option<Digest>, hold: &Arc<Hold>) -> StoredRun {
        StoredRun(Arc::new(Shared {
            extent,
            blobs: Arc::clone(&self.blobs),
            reader: OnceCell::new(),
            blob,
            suspects: Arc::clone(&self.suspects),
            _hold: Arc::clone(hold),
        }))
    }

    /// Whether this process reads bytes under this name.
    pub fn is_read(&self, name: LocationName) -> bool {
        self.readers.hold_name(name)
    }
}

fn extent_of(run: &Run) -> Option<&Extent> {
    match run {
        Run::Inline(_) => None,
        Run::Extent(extent) => Some(extent),
    }
}

impl StoredRun {
    /// Where the bytes are.
    pub fn extent(&self) -> &Extent {
        &self.0.extent
    }

    /// Its reader, if it is open.
    pub fn reader(&self) -> Option<&Arc<dyn BlobReader>> {
        self.0.reader.get()
    }

    /// Its reader.
    ///
    /// # Errors
    /// [`BlobError::NotFound`] and [`BlobError::TooShort`] when the bytes are not where the row says.
    pub async fn open(&self) -> Result<&Arc<dyn BlobReader>, BlobError> {
        let opened = self.0.reader.get_or_try_init(|| self.open_now()).await;
        if let Err(BlobError::NotFound(_) | BlobError::TooShort { .. }) = &opened {
            self.0.blob.into_iter().for_each(|blob| self.0.suspects.add(blob));
        }
        opened
    }

    async fn open_now(&self) -> Result<Arc<dyn BlobReader>, BlobError> {
        let Extent {
            location: name,
            offset,
            length,
        } = self.0.extent;
        let reader = self.0.blobs.open(name).await?;
        let (found, wanted) = (reader.length(), offset.saturating_add(length));
        if found < wanted {
            let length = found;
            return Err(BlobError::TooShort { name, length, wanted });
        }
        Ok(reader)
    }
}

impl fmt::Debug for StoredRun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoredRun")
            .field("extent", &self.0.extent)
            .field("is_open", &self.0.reader.initialized())
            .finish_non_exhaustive()
    }
}
