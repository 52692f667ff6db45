//! Why the registry refuses or fails. The protocols map these to their own codes.

use std::time::Duration;

use zas_blobs::BlobError;
use zas_core::{
    Digest, HashStateCorrupt, InvalidManifest, MediaType, Reference, RepositoryName, Tag, UploadId,
};
use zas_metadata::MetadataError;

use crate::services::capacity::Refusal;
use crate::services::content::ContentError;

/// The result of a registry operation.
pub type Result<T> = std::result::Result<T, RegistryError>;

/// A refusal or failure.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The repository does not hold the blob.
    #[error("blob {digest} is not in repository {repository}")]
    BlobUnknown {
        /// The blob.
        digest: Digest,
        /// The repository.
        repository: RepositoryName,
    },
    /// The repository holds the blob, but its stored bytes are missing or not its own any more.
    #[error(
        "the stored bytes of blob {digest} are damaged: push it to repository {repository} again, which heals it"
    )]
    BlobDamaged {
        /// The blob.
        digest: Digest,
        /// The repository.
        repository: RepositoryName,
    },
    /// The repository holds the manifest, but its stored rows cannot be read.
    #[error(
        "the stored manifest {reference} of repository {repository} is damaged: push it again, which heals it"
    )]
    ManifestDamaged {
        /// The tag or digest.
        reference: Reference,
        /// The repository.
        repository: RepositoryName,
    },
    /// There is no such upload.
    #[error(
        "upload {0} is not known in this repository: it was finished, cancelled, expired or never started"
    )]
    UploadUnknown(UploadId),
    /// The chunk does not continue the upload.
    #[error("the chunk starts at byte {found}, but the upload continues at byte {expected}")]
    OutOfOrder {
        /// The upload.
        id: UploadId,
        /// Where it continues.
        expected: u64,
        /// Where the chunk starts.
        found: u64,
    },
    /// The body is not as long as its headers say.
    #[error("the body has {found} bytes, but {expected} were announced")]
    SizeMismatch {
        /// Announced bytes.
        expected: u64,
        /// Received bytes.
        found: u64,
    },
    /// The blob is larger than this server takes.
    #[error("the blob has more than {limit} bytes, the most this server takes")]
    BlobTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The upload came in so many pieces that it takes no more.
    #[error(
        "the upload has {pieces} pieces, the most there may be: start it again with chunks of {min_length} bytes or more"
    )]
    TooManyPieces {
        /// How many runs of bytes it has.
        pieces: usize,
        /// The length of chunks with which it fits.
        min_length: u64,
    },
    /// The bytes do not have the digest that the client named.
    #[error("the content has digest {found}, but {named} was named")]
    DigestMismatch {
        /// What the client said.
        named: Digest,
        /// What the bytes have.
        found: Digest,
    },
    /// Another request continues the upload.
    #[error("another request has taken over upload {0}")]
    Superseded(UploadId),
    /// The client stopped sending.
    #[error("the body ended early: {0}")]
    Interrupted(String),
    /// Too many uploads at once.
    #[error("many uploads are sending at the same time, {refusal}: try again in {} seconds", .retry_after.as_secs())]
    TooManyUploads {
        /// Why not this one.
        refusal: Refusal,
        /// When to try again.
        retry_after: Duration,
    },
    /// Too many uploads were started and not ended.
    #[error("many uploads are open, {refusal}: finish or cancel some, or try again in {} seconds", .retry_after.as_secs())]
    TooManyOpenUploads {
        /// Why not this one.
        refusal: Refusal,
        /// When to try again.
        retry_after: Duration,
    },
    /// The repository has no such manifest.
    #[error("manifest {reference} is not in repository {repository}")]
    ManifestUnknown {
        /// The tag or digest.
        reference: Reference,
        /// The repository.
        repository: RepositoryName,
    },
    /// Several tags point to the manifest that was to be deleted, and the caller's rules keep it then.
    #[error("several tags of repository {repository} point to manifest {digest}: delete the tags instead")]
    ManifestShared {
        /// The manifest.
        digest: Digest,
        /// The repository.
        repository: RepositoryName,
    },
    /// The manifest is larger than this server takes.
    #[error("the manifest has more than {limit} bytes, the most this server takes")]
    ManifestTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The manifest cannot be accepted.
    #[error(transparent)]
    ManifestInvalid(#[from] InvalidManifest),
    /// The manifest refers to content that the repository does not hold.
    #[error("the manifest refers to content that repository {repository} does not hold")]
    ReferencesMissing {
        /// The repository.
        repository: RepositoryName,
        /// The absent digests.
        digests: Vec<Digest>,
    },
    /// The caller may create tags but not move them, or move but not create.
    #[error("tag {tag} {}", if *.exists { "exists and you may not move it" } else { "does not exist and you may not create it" })]
    TagForbidden {
        /// The tag.
        tag: Tag,
        /// Whether it exists.
        exists: bool,
    },
    /// The repository holds the manifest under another media type, which the caller may not change.
    #[error(
        "manifest {digest} is stored as {stored} and you may not change that: push it with Content-Type {stored}"
    )]
    TypeForbidden {
        /// The manifest.
        digest: Digest,
        /// The media type it is served under.
        stored: MediaType,
    },
    /// The repository belongs to a bucket.
    #[error("repository names whose first component is s3 are reserved: choose another name than {0}")]
    Reserved(RepositoryName),
    /// No such repository.
    #[error("repository {0} is not known")]
    RepositoryUnknown(RepositoryName),
    /// The stores fail or are full.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The stores fail or are full.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The saved state of an upload cannot be continued from.
    #[error(transparent)]
    HashState(#[from] HashStateCorrupt),
    /// A task of the server ended unexpectedly.
    #[error("a task of the server ended unexpectedly: {0}")]
    Task(String),
}

impl From<ContentError> for RegistryError {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Blobs(error) => Self::Blobs(error),
            ContentError::Task(problem) => Self::Task(problem),
        }
    }
}
