//! What can be done, named as its protocol names it, with the one table to what allows it: the verbs of zot's rules, and
//! owning a bucket.

use std::fmt;

use zas_config::Action as Verb;
use zas_core::{BucketName, RepositoryName};
use zas_s3::operation::Action as S3Action;

use super::policy::Resource;
use super::target::{Account, OwnedBucket, OwnedObject, OwnedUpload};

/// A kind of action as a type, so that the right to one is not the right to another.
pub trait GrantableAction: fmt::Debug {
    /// What it is done to.
    type Target: ?Sized;

    /// The action, as it is named for this target.
    fn action(target: &Self::Target) -> Action;

    /// The target as rules see it.
    fn resource(target: &Self::Target) -> Resource<'_>;
}

/// An action, named as its protocol names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Of the distribution API.
    Oci(OciAction),
    /// Of S3.
    S3(S3Action),
}

/// What allows an action. The administrator and the owner of a bucket may do everything with it and need none of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A rule that gives the verb.
    Verb(Verb),
    /// A rule that gives `create`, for keys that do not exist, or `update`, for those that do.
    Write,
    /// Having signed in, and a rule that gives `create` if there are rules.
    NewBucket,
    /// Being who began it.
    Beginner,
    /// Having signed in.
    SignedIn,
    /// Nothing but being the owner.
    Owner,
}

impl Need {
    const READ: Self = Self::Verb(Verb::Read);
    const CREATE: Self = Self::Verb(Verb::Create);
    const UPDATE: Self = Self::Verb(Verb::Update);
    const DELETE: Self = Self::Verb(Verb::Delete);
}

/// Declares actions: the variant, the name in its protocol and the need, once each.
macro_rules! actions {
    ($($(#[doc = $about:literal])+ $Action:ident = $name:literal => $need:expr;)+) => {
        /// An action of the distribution API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum OciAction {
            $($(#[doc = $about])+ $Action,)+
        }

        impl OciAction {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$Action),+];

            /// Its name, such as `oci:Push`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Action => $name,)+
                }
            }

            /// What allows it.
            pub const fn need(self) -> Need {
                match self {
                    $(Self::$Action => $need,)+
                }
            }
        }
    };
}

actions! {
    /// Read manifests and blobs.
    Pull = "oci:Pull" => Need::READ;
    /// List tags.
    ListTags = "oci:ListTags" => Need::READ;
    /// List what refers to a manifest.
    ListReferrers = "oci:ListReferrers" => Need::READ;
    /// Push blobs, and manifests without a tag.
    Push = "oci:Push" => Need::CREATE;
    /// Make a tag.
    Tag = "oci:Tag" => Need::CREATE;
    /// Move a tag that exists.
    Retag = "oci:Retag" => Need::UPDATE;
    /// Delete tags, manifests and blobs.
    Delete = "oci:Delete" => Need::DELETE;
}

impl Action {
    /// Its name, such as `oci:Push`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oci(action) => action.as_str(),
            Self::S3(action) => action.name(),
        }
    }

    /// What allows it.
    pub const fn need(self) -> Need {
        match self {
            Self::Oci(action) => action.need(),
            Self::S3(action) => need_of(action),
        }
    }
}

/// What allows an action of S3. Whatever is not said here is for the owner.
const fn need_of(action: S3Action) -> Need {
    use S3Action::*;
    match action {
        ListAllMyBuckets => Need::SignedIn,
        CreateBucket => Need::NewBucket,
        ListBucket | ListBucketVersions | ListBucketMultipartUploads | GetBucketLocation => Need::READ,
        GetObject
        | GetObjectVersion
        | GetObjectAttributes
        | GetObjectVersionAttributes
        | GetObjectAcl
        | GetObjectVersionAcl
        | GetObjectTagging
        | GetObjectVersionTagging
        | GetObjectLegalHold
        | GetObjectRetention => Need::READ,
        PutObject => Need::Write,
        PutObjectTagging
        | PutObjectVersionTagging
        | DeleteObjectTagging
        | DeleteObjectVersionTagging
        | PutObjectAcl
        | PutObjectVersionAcl => Need::UPDATE,
        DeleteObject | DeleteObjectVersion | BypassGovernanceRetention => Need::DELETE,
        AbortMultipartUpload | ListMultipartUploadParts => Need::Beginner,
        _ => Need::Owner,
    }
}

impl From<OciAction> for Action {
    fn from(action: OciAction) -> Self {
        Self::Oci(action)
    }
}

impl From<S3Action> for Action {
    fn from(action: S3Action) -> Self {
        Self::S3(action)
    }
}

/// Declares the types of actions of a protocol on a kind of target. Where a second action is named, it is the one on a
/// version that the target names.
macro_rules! grantable {
    ($($Protocol:ident on $Target:ty: $($Action:ident $(/ $OnVersion:ident)?),+;)+) => {$($(
        #[doc = concat!("[`", stringify!($Protocol), "::", stringify!($Action), "`] as a type.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $Action;

        impl GrantableAction for $Action {
            type Target = $Target;

            fn action(target: &$Target) -> Action {
                $(if target.has_version() {
                    return $Protocol::$OnVersion.into();
                })?
                let _ = target;
                $Protocol::$Action.into()
            }

            fn resource(target: &$Target) -> Resource<'_> {
                Resource::from(target)
            }
        }
    )+)+};
}

grantable! {
    OciAction on RepositoryName: Pull, ListTags, ListReferrers, Push, Tag, Retag, Delete;
    S3Action on Account: ListAllMyBuckets;
    S3Action on BucketName: CreateBucket;
    S3Action on OwnedBucket: DeleteBucket, ListBucket, ListBucketVersions, ListBucketMultipartUploads,
        GetBucketLocation, GetBucketTagging, PutBucketTagging, GetBucketVersioning, PutBucketVersioning, GetBucketCORS,
        PutBucketCORS;
    S3Action on OwnedObject: GetObject / GetObjectVersion, GetObjectAttributes / GetObjectVersionAttributes,
        GetObjectTagging / GetObjectVersionTagging, PutObject, PutObjectTagging / PutObjectVersionTagging,
        DeleteObjectTagging / DeleteObjectVersionTagging, DeleteObject / DeleteObjectVersion;
    S3Action on OwnedUpload: AbortMultipartUpload, ListMultipartUploadParts;
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
