//! The registry over stores in memory: what holds whatever the protocol in front of it.

mod catalog;
mod collection;
mod extents;
mod failures;
mod interruptions;
mod limits;
mod manifests;
mod reading;
mod uploads;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use zas_blobs::{BlobStore, MemoryBlobs};
use zas_core::{Clock, Digest, ManualClock, MediaType, RepositoryName, SystemIds, Timestamp};
use zas_metadata::{MemoryMetadata, MetadataStore, Timing};

use super::{BlobBody, PushGrant, Registry, RegistryParts, RegistrySettings};
use crate::services::auth::{Actor, GrantableAction, Granted};
use crate::services::capacity::Client;
use crate::services::content::{BodyError, RequestBody};
use crate::services::maintenance::{CollectionSettings, Collector};

pub(super) const GRACE: Duration = Duration::from_secs(3600);

/// A registry whose time stands still until it is told to move.
pub(super) struct World {
    pub(super) registry: Registry,
    pub(super) metadata: Arc<dyn MetadataStore>,
    pub(super) blobs: Arc<MemoryBlobs>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) collector: Collector,
}

pub(super) fn settings() -> RegistrySettings {
    RegistrySettings {
        blob_size: Some(8 << 20),
        open_uploads: 10_000,
        ..RegistrySettings::in_test()
    }
}

pub(super) fn collection_settings() -> CollectionSettings {
    CollectionSettings {
        enabled: true,
        interval: Duration::from_secs(60),
        upload_expiry: GRACE * 24,
        orphan_sweep: GRACE,
        orphan_share: 5,
    }
}

pub(super) fn world() -> World {
    world_behind(|blobs| blobs)
}

/// A world whose registry reaches its bytes through something.
pub(super) fn world_behind(front: impl FnOnce(Arc<dyn BlobStore>) -> Arc<dyn BlobStore>) -> World {
    let clock = Arc::new(ManualClock::starting_at(Timestamp::from_millis(
        1_800_000_000_000,
    )));
    let wall: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let timing = Timing {
        grace: GRACE,
        doom_delay: Duration::from_secs(900),
    };
    let metadata: Arc<dyn MetadataStore> = Arc::new(MemoryMetadata::new(Arc::clone(&wall), timing));
    let blobs = Arc::new(MemoryBlobs::new());
    let store = front(Arc::<MemoryBlobs>::clone(&blobs));
    let parts = RegistryParts {
        metadata: Arc::clone(&metadata),
        blobs: Arc::clone(&store),
        clock: Arc::clone(&wall),
        ids: Arc::new(SystemIds::default()),
    };
    let registry = Registry::new(parts, settings(), 1 << 20);
    let collector = Collector::new(
        Arc::clone(&metadata),
        store,
        registry.clone(),
        Arc::default(),
        collection_settings(),
    );
    World {
        registry,
        metadata,
        blobs,
        clock,
        collector,
    }
}

/// A right that nobody was asked for.
pub(super) fn granted<A: GrantableAction>(target: &A::Target) -> Granted<'_, A> {
    Granted::in_test(target)
}

/// A client with the name of a user.
pub(super) fn client(name: &str) -> Client {
    let user = Actor::local(&name.parse().unwrap());
    Client::of(Some(&user), [192, 0, 2, 1].into())
}

/// The right to push with any tags.
pub(super) fn any_tags(repository: &RepositoryName) -> PushGrant<'_> {
    PushGrant::AnyTags(granted(repository), granted(repository))
}

pub(super) fn repository(name: &str) -> RepositoryName {
    name.parse().unwrap()
}

/// Bytes that do not repeat within the sizes used here.
pub(super) fn content(length: usize, seed: u8) -> Vec<u8> {
    (0..length)
        .map(|position| (position.wrapping_mul(31) >> 3) as u8 ^ seed)
        .collect()
}

/// A body that arrives in pieces of 10,000 bytes.
pub(super) fn body(bytes: &[u8]) -> RequestBody<'static> {
    let pieces: Vec<_> = bytes
        .chunks(10_000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    Box::pin(stream::iter(pieces))
}

/// A body that breaks off after `bytes`.
pub(super) fn broken_body(bytes: &[u8]) -> RequestBody<'static> {
    let mut pieces: Vec<_> = bytes
        .chunks(10_000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    pieces.push(Err(BodyError("the connection was reset".to_owned())));
    Box::pin(stream::iter(pieces))
}

impl World {
    /// The same stores, as another process would open them.
    pub(super) fn parts(&self) -> RegistryParts {
        RegistryParts {
            metadata: Arc::clone(&self.metadata),
            blobs: Arc::<MemoryBlobs>::clone(&self.blobs),
            clock: Arc::<ManualClock>::clone(&self.clock),
            ids: Arc::new(SystemIds::default()),
        }
    }

    /// Another process over the same stores, which saves the progress of long requests every `run_bytes` bytes.
    pub(super) fn another(&self, run_bytes: u64) -> Registry {
        Registry::new(self.parts(), settings(), 1 << 20).with_run_bytes(run_bytes)
    }

    pub(super) async fn push(&self, repository: &RepositoryName, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256_of(bytes);
        let length = Some(bytes.len() as u64);
        self.registry
            .push_blob(granted(repository), client("alice"), digest, length, body(bytes))
            .await
            .unwrap();
        digest
    }

    pub(super) async fn pull(&self, repository: &RepositoryName, digest: &Digest) -> Vec<u8> {
        let blob = self
            .registry
            .open_blob(granted(repository), digest)
            .await
            .unwrap();
        let bytes = match blob.body {
            BlobBody::Inline(bytes) => bytes.to_vec(),
            BlobBody::Parts(_) => unreachable!("a blob is not stored in parts"),
            BlobBody::Stored(runs) => {
                let mut all = Vec::new();
                for run in runs {
                    let (extent, reader) = (*run.extent(), run.open().await.unwrap());
                    let length = usize::try_from(extent.length).unwrap();
                    all.extend_from_slice(&reader.read(extent.offset, length).await.unwrap());
                }
                all
            }
        };
        assert_eq!(bytes.len() as u64, blob.size);
        bytes
    }
}

/// An image manifest over blobs that are in the repository.
pub(super) fn image(config: &Digest, layers: &[Digest], extra: &str) -> Bytes {
    let entry = |digest: &Digest| {
        format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":1}}"#)
    };
    let layers: Vec<String> = layers.iter().map(entry).collect();
    let (media_type, config, layers) = (MediaType::OCI_MANIFEST, entry(config), layers.join(","));
    Bytes::from(format!(
        r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{config},"layers":[{layers}]{extra}}}"#
    ))
}
