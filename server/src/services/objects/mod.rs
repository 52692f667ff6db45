//! Buckets and objects over the two stores. An object is a version row and either bytes in a row or a blob, which it
//! shares with whoever else holds the same content.

mod artifact;
mod buckets;
mod digests;
mod error;
mod hashes;
mod listing;
mod multipart;
mod own_upload;
mod read;
mod remove;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use tokio::sync::Notify;
use zas_core::{Clock, IdSource, UploadId};
use zas_metadata::{Bucket, MetadataStore, Origin, Owner};

pub use artifact::content_digest;
pub use error::{ObjectsError, Result};
pub use hashes::Computed;
pub use multipart::{Completion, NewParts, SourceRange, checksum_of};
pub use read::FoundObject;
pub use write::{NewObject, ObjectBody, Stored, Verify};

use super::auth::{Actor, OwnedBucket};
use super::registry::Registry;

/// The operations on buckets and objects. Cheap to clone: clones share everything.
#[derive(Clone, Debug)]
pub struct Objects {
    metadata: Arc<dyn MetadataStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    /// Whose content and whose limits of memory and of uploads at a time hold for objects too.
    registry: Registry,
    /// An object in parts was made, whose digest is to be computed.
    completed: Arc<Notify>,
}

/// What objects stand on.
#[derive(Clone, Debug)]
pub struct ObjectsParts {
    /// The facts.
    pub metadata: Arc<dyn MetadataStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The ids of buckets and uploads.
    pub ids: Arc<dyn IdSource>,
    /// The registry over the same stores.
    pub registry: Registry,
}

impl Objects {
    /// Objects over these stores.
    pub fn new(parts: ObjectsParts) -> Self {
        Self {
            metadata: parts.metadata,
            clock: parts.clock,
            ids: parts.ids,
            registry: parts.registry,
            completed: Arc::default(),
        }
    }

    fn id(&self) -> UploadId {
        self.ids.upload_id(self.clock.now())
    }

    /// Random bits for the id of a version.
    fn random(&self) -> u64 {
        let [.., a, b, c, d, e, f, g, h] = self.id().to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn origin(&self, actor: &Actor) -> Origin {
        Origin {
            operation: self.id().to_bytes(),
            actor: actor.to_string(),
        }
    }
}

/// An actor as rows keep it.
fn owner(actor: &Actor) -> Owner {
    Owner {
        issuer: actor.issuer().to_owned(),
        subject: actor.subject().to_owned(),
    }
}

/// Whom a row means; nobody when it names no issuer.
pub fn actor(owner: &Owner) -> Actor {
    Actor::new(&owner.issuer, &owner.subject).unwrap_or_else(|_| Actor::nobody())
}

/// A bucket as the rules see it.
pub fn owned(bucket: &Bucket) -> OwnedBucket {
    OwnedBucket {
        name: bucket.name.clone(),
        owner: actor(&bucket.owner),
    }
}
