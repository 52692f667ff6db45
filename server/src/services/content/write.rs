//! Writing received bytes under new names, and hashing them on their way.

use zas_blobs::{Batch, BatchSender, Batches, BlobError, Write};
use zas_blocking::CONTENT_HASHES;
use zas_core::{Hashing, LocationName, UploadId};
use zas_metadata::{Epoch, Extent};

use super::Content;

/// Smaller batches are hashed at once: handing them to another thread would cost more. So many bytes take a tenth of a
/// millisecond.
const HASHED_APART: u64 = 64 * 1024;

/// Takes in the bytes of a content, each once and in order.
pub trait Hash: Send + Sized + 'static {
    /// The next bytes.
    fn update(&mut self, bytes: &[u8]);

    /// The next bytes, off this thread when they are many. What consists of several hashes may give each a thread.
    fn take_in(self, batch: Batch) -> impl Future<Output = Result<Self, ContentError>> + Send {
        on_one_thread(self, batch)
    }
}

impl Hash for Hashing {
    fn update(&mut self, bytes: &[u8]) {
        Self::update(self, bytes);
    }
}

impl<H: Hash> Hash for Vec<H> {
    fn update(&mut self, bytes: &[u8]) {
        self.iter_mut().for_each(|hash| hash.update(bytes));
    }
}

/// The names that one writer of an upload may use: each is given out once.
#[derive(Debug)]
pub struct Names {
    upload: UploadId,
    epoch: Epoch,
    next: u32,
}

impl Names {
    /// The names of whoever claimed the upload with this epoch, none of which was given out.
    pub fn new(upload: UploadId, epoch: Epoch) -> Self {
        Self {
            upload,
            epoch,
            next: 0,
        }
    }

    fn next(&mut self) -> LocationName {
        let name = self.epoch.name(self.upload, self.next);
        self.next += 1;
        name
    }
}

/// A content that is durable as a whole.
#[derive(Debug)]
pub struct WrittenContent<H> {
    /// Where its bytes are; nowhere when there are none.
    pub extents: Vec<Extent>,
    /// How many bytes it has.
    pub length: u64,
    /// The hash of all of them.
    pub hash: H,
}

/// Why bytes were not written.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The store fails or is full.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The hashing ended unexpectedly.
    #[error("a task of the server ended unexpectedly: {0}")]
    Task(String),
}

impl Content {
    /// Writes everything that comes through `batches` as one content, and hashes it meanwhile. When this returns, the
    /// bytes survive power loss. `expected` is what the client said about their number.
    ///
    /// # Errors
    /// Those of [`Self::write_run`].
    pub async fn write<H: Hash>(
        &self,
        names: &mut Names,
        batches: &mut Batches,
        hash: H,
        expected: Option<u64>,
    ) -> Result<WrittenContent<H>, ContentError> {
        let bound = Bound {
            most: u64::MAX,
            expected,
        };
        let (run, hash) = self.write_run(names, batches, hash, bound).await?;
        Ok(WrittenContent {
            length: run.map_or(0, |run| run.length),
            extents: run.into_iter().collect(),
            hash,
        })
    }

    /// Writes the next bytes under the next name, until there are no more or the run is as long as it may be. No bytes
    /// are no run. When bytes were announced the store is asked at once, so that a full one is told of before they come.
    ///
    /// # Errors
    /// After a failure the name may hold any part of the bytes, and nobody lists it.
    pub(crate) async fn write_run<H: Hash>(
        &self,
        names: &mut Names,
        batches: &mut Batches,
        hash: H,
        bound: Bound,
    ) -> Result<(Option<Extent>, H), ContentError> {
        let first = match bound.expected {
            Some(1..) => None,
            _ => match batches.recv().await {
                None => return Ok((None, hash)),
                first => first,
            },
        };
        let location = names.next();
        let (sender, receiver) = zas_blobs::batches();
        let writing = self.blobs.write(Write {
            name: location,
            batches: receiver,
            expected: bound.expected.map(|expected| expected.min(bound.most)),
        });
        let hashing = hand_on(sender, first, batches, hash, bound.most);
        tokio::pin!(writing, hashing);
        let hashed = tokio::select! {
            // The store gives up before the end of the bytes, and says why.
            written = &mut writing => return Err(refused(location, written)),
            hashed = &mut hashing => hashed,
        };
        let length = writing.await?;
        let extent = Extent {
            location,
            offset: 0,
            length,
        };
        Ok((Some(extent).filter(|extent| extent.length > 0), hashed?))
    }
}

/// How long a run may become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// It ends with the batch that reaches this length.
    pub(crate) most: u64,
    /// How many bytes will come, if the client said so.
    pub(crate) expected: Option<u64>,
}

fn refused(name: LocationName, written: Result<u64, BlobError>) -> ContentError {
    let error = written.err().unwrap_or_else(|| BlobError::Storage {
        action: "write",
        name: name.to_string(),
        source: std::io::Error::other("the store did not take all bytes"),
    });
    error.into()
}

/// Hands batches to the store and hashes each of them meanwhile.
async fn hand_on<H: Hash>(
    store: BatchSender,
    first: Option<Batch>,
    batches: &mut Batches,
    mut hash: H,
    most: u64,
) -> Result<H, ContentError> {
    let (mut next, mut length) = (first, 0);
    if next.is_none() {
        next = batches.recv().await;
    }
    while let Some(batch) = next {
        length += batch.length();
        let (sent, hashed) = tokio::join!(store.send(batch.clone()), hash.take_in(batch));
        if sent.is_err() {
            // Whoever waits for the store learns why.
            std::future::pending::<()>().await;
        }
        hash = hashed?;
        if length >= most {
            break;
        }
        next = batches.recv().await;
    }
    Ok(hash)
}

async fn on_one_thread<H: Hash>(mut hash: H, batch: Batch) -> Result<H, ContentError> {
    let is_small = is_hashed_at_once(&batch);
    let take = move || {
        batch.pieces.iter().for_each(|piece| hash.update(piece));
        hash
    };
    if is_small {
        return Ok(take());
    }
    let hashed = CONTENT_HASHES.run(take).await;
    hashed.map_err(|panic| ContentError::Task(panic.to_string()))
}

/// Whether handing a batch to another thread would cost more than hashing it.
pub(crate) fn is_hashed_at_once(batch: &Batch) -> bool {
    batch.length() < HASHED_APART
}
