//! What is computed of the bytes of an object while they are written.

use zas_blobs::Batch;
use zas_blocking::CONTENT_HASHES;
use zas_core::{Algorithm, Digest, Hashing};
use zas_s3::checksum::{Checksum, ChecksumAlgorithm, RunningChecksum, RunningMd5};

use crate::services::content::{ContentError, Hash, is_hashed_at_once};

/// What was computed of a whole body.
#[derive(Clone, Debug)]
pub struct Computed {
    /// How many bytes there are.
    pub length: u64,
    /// Their digest, by which they are stored.
    pub digest: Digest,
    /// Their MD5, which is the entity tag of an object in one piece.
    pub md5: [u8; 16],
    /// The checksum that the client chose.
    pub checksum: Checksum,
}

/// The running hashes of a body.
#[derive(Debug)]
pub(super) struct Hashes {
    length: u64,
    sha256: Hashing,
    md5: RunningMd5,
    checksum: RunningChecksum,
}

impl Hashes {
    pub(super) fn new(algorithm: ChecksumAlgorithm) -> Self {
        Self {
            length: 0,
            sha256: Hashing::new(Algorithm::Sha256),
            md5: RunningMd5::new(),
            checksum: RunningChecksum::new(algorithm),
        }
    }

    pub(super) fn finish(self) -> Computed {
        Computed {
            length: self.length,
            digest: self.sha256.finish(),
            md5: self.md5.finish(),
            checksum: self.checksum.finish(),
        }
    }
}

impl Hash for Hashes {
    fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.sha256.update(bytes);
        self.md5.update(bytes);
        self.checksum.update(bytes);
    }

    /// Many bytes go to two threads, because MD5 takes longest and follows nobody's pace.
    async fn take_in(mut self, batch: Batch) -> Result<Self, ContentError> {
        if is_hashed_at_once(&batch) {
            batch.pieces.iter().for_each(|piece| self.update(piece));
            return Ok(self);
        }
        let length = self.length + batch.length();
        let Self {
            mut sha256,
            mut md5,
            mut checksum,
            ..
        } = self;
        let others = batch.clone();
        let hash_md5 = move || {
            others.pieces.iter().for_each(|piece| md5.update(piece));
            md5
        };
        let hash_rest = move || {
            for piece in batch.pieces.iter() {
                sha256.update(piece);
                checksum.update(piece);
            }
            (sha256, checksum)
        };
        let (md5, rest) = tokio::join!(CONTENT_HASHES.run(hash_md5), CONTENT_HASHES.run(hash_rest));
        let failed = |error: &dyn std::fmt::Display| ContentError::Task(error.to_string());
        let md5 = md5.map_err(|error| failed(&error))?;
        let (sha256, checksum) = rest.map_err(|error| failed(&error))?;
        Ok(Self {
            length,
            sha256,
            md5,
            checksum,
        })
    }
}
