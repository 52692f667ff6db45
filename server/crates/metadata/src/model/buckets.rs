//! Buckets.

use zas_core::{BucketId, BucketName, Timestamp};

/// A principal as rows keep it: who issued its identity, and which one it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Who issued the identity.
    pub issuer: String,
    /// Which one it is there.
    pub subject: String,
}

/// Whether a bucket keeps the versions of its objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versioning {
    /// It never did: each object has one version, the `null` version.
    #[default]
    Never,
    /// Each write makes a version of its own.
    Enabled,
    /// The versions stay; each write takes the place of the `null` version.
    Suspended,
}

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: BucketName,
    /// Its id, under which everything in it is kept.
    pub id: BucketId,
    /// Who made it.
    pub owner: Owner,
    /// The region it was made in.
    pub region: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it keeps versions.
    pub versioning: Versioning,
}

/// A bucket to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBucket {
    /// Its name.
    pub name: BucketName,
    /// An id that no bucket ever had.
    pub id: BucketId,
    /// Who makes it.
    pub owner: Owner,
    /// The region it is made in.
    pub region: String,
}

/// The outcome of making a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateBucketOutcome {
    /// It is there now.
    Created(Bucket),
    /// This one has the name. Nothing changed.
    Exists(Bucket),
}

/// Which buckets are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListBuckets {
    /// Those of this owner; `None`: everybody's.
    pub owner: Option<Owner>,
    /// Those whose name starts with this.
    pub prefix: String,
    /// Those whose name sorts behind this.
    pub after: Option<String>,
    /// So many at most.
    pub count: usize,
}

/// A bucket in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBucket {
    /// Its name.
    pub name: BucketName,
    /// Its id.
    pub id: BucketId,
    /// Who made it.
    pub owner: Owner,
    /// The region it was made in.
    pub region: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The outcome of deleting a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteBucketOutcome {
    /// It is gone, with its documents and its open multipart uploads.
    Deleted,
    /// It holds a version or a delete marker. Nothing changed.
    NotEmpty,
    /// There is no such bucket.
    Unknown,
}

/// The outcome of changing what is set for a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketOutcome {
    /// It is set.
    Done,
    /// There is no such bucket.
    Unknown,
}

/// What can be set for a bucket as a document, which the store does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// Its tags.
    Tags,
    /// Which origins a browser may call it from.
    Cors,
}
