//! AWS's names of what may be allowed (Service Authorization Reference, "Actions defined by Amazon S3").

use std::fmt;

macro_rules! actions {
    ($($action:ident)+) => {
        /// What may be allowed on a bucket or an object, by AWS's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = concat!("`s3:", stringify!($action), "`")] $action,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$action),+];

            /// The name in policies: `s3:GetObject`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$action => concat!("s3:", stringify!($action)),)+
                }
            }
        }
    };
}

actions! {
    AbortMultipartUpload
    BypassGovernanceRetention
    CreateBucket
    DeleteBucket
    DeleteBucketPolicy
    DeleteBucketWebsite
    DeleteObject
    DeleteObjectTagging
    DeleteObjectVersion
    DeleteObjectVersionTagging
    GetAccelerateConfiguration
    GetAnalyticsConfiguration
    GetBucketAcl
    GetBucketCORS
    GetBucketLocation
    GetBucketLogging
    GetBucketNotification
    GetBucketObjectLockConfiguration
    GetBucketOwnershipControls
    GetBucketPolicy
    GetBucketPolicyStatus
    GetBucketPublicAccessBlock
    GetBucketRequestPayment
    GetBucketTagging
    GetBucketVersioning
    GetBucketWebsite
    GetEncryptionConfiguration
    GetIntelligentTieringConfiguration
    GetInventoryConfiguration
    GetLifecycleConfiguration
    GetMetricsConfiguration
    GetObject
    GetObjectAcl
    GetObjectAttributes
    GetObjectLegalHold
    GetObjectRetention
    GetObjectTagging
    GetObjectVersion
    GetObjectVersionAcl
    GetObjectVersionAttributes
    GetObjectVersionTagging
    GetReplicationConfiguration
    ListAllMyBuckets
    ListBucket
    ListBucketMultipartUploads
    ListBucketVersions
    ListMultipartUploadParts
    PutAnalyticsConfiguration
    PutBucketAcl
    PutBucketCORS
    PutBucketOwnershipControls
    PutBucketPublicAccessBlock
    PutBucketTagging
    PutBucketVersioning
    PutEncryptionConfiguration
    PutIntelligentTieringConfiguration
    PutInventoryConfiguration
    PutLifecycleConfiguration
    PutMetricsConfiguration
    PutObject
    PutObjectAcl
    PutObjectTagging
    PutObjectVersionAcl
    PutObjectVersionTagging
    PutReplicationConfiguration
}

impl Action {
    /// What deleting a key takes, or one of its versions.
    pub const fn delete_object(names_a_version: bool) -> Self {
        if names_a_version {
            Self::DeleteObjectVersion
        } else {
            Self::DeleteObject
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
