//! Configurations that nobody can set on this server, so that reading one has AWS's answer for an unset one.

use super::action::Action;
use crate::error::{ErrorCode, S3Error};
use crate::query::Query;

macro_rules! configurations {
    ($($configuration:ident $parameter:literal $get:literal $action:ident $delete:expr;)+) => {
        /// A configuration of a bucket that is never set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum BucketConfiguration {
            $(#[doc = concat!("`?", $parameter, "`")] $configuration,)+
        }

        impl BucketConfiguration {
            /// Every configuration.
            pub const ALL: &[Self] = &[$(Self::$configuration),+];

            /// The configuration of a sub-resource.
            pub(super) fn of(sub_resource: &str) -> Option<Self> {
                match sub_resource {
                    $($parameter => Some(Self::$configuration),)+
                    _ => None,
                }
            }

            /// The operation that reads it.
            pub const fn get_name(self) -> &'static str {
                match self { $(Self::$configuration => $get,)+ }
            }

            pub(super) const fn get_actions(self) -> &'static [Action] {
                match self { $(Self::$configuration => &[Action::$action],)+ }
            }

            /// The operation that deletes it, and what that needs; `None` where there is none.
            pub(super) const fn delete(self) -> Option<(&'static str, &'static [Action])> {
                match self { $(Self::$configuration => $delete,)+ }
            }
        }
    };
}

configurations! {
    Accelerate "accelerate" "GetBucketAccelerateConfiguration" GetAccelerateConfiguration
        None;
    Analytics "analytics" "GetBucketAnalyticsConfiguration" GetAnalyticsConfiguration
        Some(("DeleteBucketAnalyticsConfiguration", &[Action::PutAnalyticsConfiguration]));
    Cors "cors" "GetBucketCors" GetBucketCORS
        Some(("DeleteBucketCors", &[Action::PutBucketCORS]));
    Encryption "encryption" "GetBucketEncryption" GetEncryptionConfiguration
        Some(("DeleteBucketEncryption", &[Action::PutEncryptionConfiguration]));
    IntelligentTiering "intelligent-tiering" "GetBucketIntelligentTieringConfiguration" GetIntelligentTieringConfiguration
        Some(("DeleteBucketIntelligentTieringConfiguration", &[Action::PutIntelligentTieringConfiguration]));
    Inventory "inventory" "GetBucketInventoryConfiguration" GetInventoryConfiguration
        Some(("DeleteBucketInventoryConfiguration", &[Action::PutInventoryConfiguration]));
    Lifecycle "lifecycle" "GetBucketLifecycleConfiguration" GetLifecycleConfiguration
        Some(("DeleteBucketLifecycle", &[Action::PutLifecycleConfiguration]));
    Logging "logging" "GetBucketLogging" GetBucketLogging
        None;
    Metrics "metrics" "GetBucketMetricsConfiguration" GetMetricsConfiguration
        Some(("DeleteBucketMetricsConfiguration", &[Action::PutMetricsConfiguration]));
    Notification "notification" "GetBucketNotificationConfiguration" GetBucketNotification
        None;
    ObjectLock "object-lock" "GetObjectLockConfiguration" GetBucketObjectLockConfiguration
        None;
    OwnershipControls "ownershipControls" "GetBucketOwnershipControls" GetBucketOwnershipControls
        Some(("DeleteBucketOwnershipControls", &[Action::PutBucketOwnershipControls]));
    Policy "policy" "GetBucketPolicy" GetBucketPolicy
        Some(("DeleteBucketPolicy", &[Action::DeleteBucketPolicy]));
    PolicyStatus "policyStatus" "GetBucketPolicyStatus" GetBucketPolicyStatus
        None;
    PublicAccessBlock "publicAccessBlock" "GetPublicAccessBlock" GetBucketPublicAccessBlock
        Some(("DeletePublicAccessBlock", &[Action::PutBucketPublicAccessBlock]));
    Replication "replication" "GetBucketReplication" GetReplicationConfiguration
        Some(("DeleteBucketReplication", &[Action::PutReplicationConfiguration]));
    RequestPayment "requestPayment" "GetBucketRequestPayment" GetBucketRequestPayment
        None;
    Website "website" "GetBucketWebsite" GetBucketWebsite
        Some(("DeleteBucketWebsite", &[Action::DeleteBucketWebsite]));
}

impl BucketConfiguration {
    /// The error that reads "it is not set"; `None` where AWS answers with a document even then.
    pub fn not_set(self) -> Option<S3Error> {
        let code = match self {
            Self::Analytics | Self::IntelligentTiering | Self::Inventory | Self::Metrics => {
                ErrorCode::NoSuchConfiguration
            }
            Self::Cors => ErrorCode::NoSuchCORSConfiguration,
            Self::Encryption => ErrorCode::ServerSideEncryptionConfigurationNotFoundError,
            Self::Lifecycle => ErrorCode::NoSuchLifecycleConfiguration,
            Self::ObjectLock => ErrorCode::ObjectLockConfigurationNotFoundError,
            Self::Policy | Self::PolicyStatus => ErrorCode::NoSuchBucketPolicy,
            Self::PublicAccessBlock => ErrorCode::NoSuchPublicAccessBlockConfiguration,
            Self::Replication => ErrorCode::ReplicationConfigurationNotFoundError,
            Self::Website => ErrorCode::NoSuchWebsiteConfiguration,
            Self::Accelerate
            | Self::Logging
            | Self::Notification
            | Self::OwnershipControls
            | Self::RequestPayment => return None,
        };
        Some(code.into())
    }

    /// Four kinds have many configurations, each with an id; without one a list is asked for.
    pub(super) fn list_name(self, query: &Query<'_>) -> Option<&'static str> {
        if query.contains("id") {
            return None;
        }
        match self {
            Self::Analytics => Some("ListBucketAnalyticsConfigurations"),
            Self::IntelligentTiering => Some("ListBucketIntelligentTieringConfigurations"),
            Self::Inventory => Some("ListBucketInventoryConfigurations"),
            Self::Metrics => Some("ListBucketMetricsConfigurations"),
            _ => None,
        }
    }
}

/// A property of an object that only buckets with object lock have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectLockProperty {
    /// `?retention`
    Retention,
    /// `?legal-hold`
    LegalHold,
}

impl ObjectLockProperty {
    /// The answer of a bucket without object lock.
    pub fn not_set(self) -> S3Error {
        S3Error::invalid_request("Bucket is missing Object Lock Configuration")
    }
}
