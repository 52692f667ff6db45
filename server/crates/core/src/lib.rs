//! Types of the contracts with clients: names, keys, digests, manifests, ranges, time and ids.
//!
//! Nothing here reads a clock, a socket or a disk: a value of one of these types is proof that the text
//! it came from was valid, so the layers above never check twice.

mod bucket_id;
mod bucket_name;
mod byte_range;
mod chunk_range;
mod clock;
mod descriptor;
mod digest;
mod hashing;
mod holder;
mod id;
mod location_name;
mod manifest;
mod media_type;
mod object_key;
mod object_manifest;
mod object_tag;
mod reference;
mod repository_name;
mod store_id;
mod tag;

pub use bucket_id::BucketId;
pub use bucket_name::{BucketName, InvalidBucketName};
pub use byte_range::{ByteRange, RangeRequest, RangeUnsatisfiable};
pub use chunk_range::{ChunkRange, InvalidChunkRange};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, InvalidDigest};
pub use hashing::{HashState, HashStateCorrupt, Hashing};
pub use holder::Holder;
pub use id::{IdSource, InvalidUploadId, SystemIds, UploadId};
pub use location_name::{InvalidLocationName, LocationName};
pub use manifest::{InvalidManifest, Manifest, ManifestKind, ManifestReference, ReferenceRole};
pub use media_type::{InvalidMediaType, MediaType};
pub use object_key::{InvalidKey, MAX_KEY_BYTES, ObjectKey};
pub use object_manifest::{EMPTY_CONFIGURATION, OBJECT_ARTIFACT_TYPE, ObjectManifest, empty_configuration};
pub use object_tag::{key_of_tag, tag_of_key};
pub use reference::{InvalidReference, Reference};
pub use repository_name::{InvalidRepositoryName, RepositoryName};
pub use store_id::{InvalidStoreId, StoreId};
pub use tag::{InvalidTag, Tag};
