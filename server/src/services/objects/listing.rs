//! Listing objects.

use zas_metadata::{ListObjects, ListVersions, ObjectPage, VersionPage};

use super::{Objects, Result};
use crate::services::auth::{Granted, action};

impl Objects {
    /// Objects of a bucket, in byte order.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn list_objects(
        &self,
        _granted: Granted<'_, action::ListBucket>,
        list: ListObjects,
    ) -> Result<ObjectPage> {
        Ok(self.metadata.list_objects(list).await?)
    }

    /// Versions and delete markers of a bucket, by key, the latest first.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn list_versions(
        &self,
        _granted: Granted<'_, action::ListBucketVersions>,
        list: ListVersions,
    ) -> Result<VersionPage> {
        Ok(self.metadata.list_object_versions(list).await?)
    }
}
