//! What is computed of the bytes of an object while they are written.

use bytes::Bytes;
use zas_blocking::HASHES;
use zas_core::{Algorithm, Digest, Hashing};
use zas_s3::checksum::{Checksum, ChecksumAlgorithm, RunningChecksum, RunningMd5};

use super::{ObjectsError, Result};

/// Fewer bytes are hashed at once: handing them to other threads would cost more.
const HASHED_APART: usize = 64 * 1024;

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

    /// Takes in the next bytes; many of them on two threads, because MD5 takes longest and follows nobody's pace.
    pub(super) async fn update(self, pieces: Vec<Bytes>) -> Result<Self> {
        let length: usize = pieces.iter().map(Bytes::len).sum();
        let Self {
            length: before,
            mut sha256,
            mut md5,
            mut checksum,
        } = self;
        let others = pieces.clone();
        let hash_md5 = move || {
            others.iter().for_each(|piece| md5.update(piece));
            md5
        };
        let hash_rest = move || {
            for piece in &pieces {
                sha256.update(piece);
                checksum.update(piece);
            }
            (sha256, checksum)
        };
        let (md5, (sha256, checksum)) = if length < HASHED_APART {
            (hash_md5(), hash_rest())
        } else {
            let (md5, rest) = tokio::join!(HASHES.run(hash_md5), HASHES.run(hash_rest));
            let failed = |error: &dyn std::fmt::Display| ObjectsError::Task(error.to_string());
            (
                md5.map_err(|error| failed(&error))?,
                rest.map_err(|error| failed(&error))?,
            )
        };
        Ok(Self {
            length: before + length as u64,
            sha256,
            md5,
            checksum,
        })
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
