//! Deleting objects and versions.

use zas_core::{BucketId, ObjectKey};
use zas_metadata::{DeleteObject, DeleteOutcome, Expected, VersionSelector};

use super::{Objects, Result, owner};
use crate::services::auth::{Actor, Granted, action};

impl Objects {
    /// Deletes an object, or one of its versions for good.
    ///
    /// # Errors
    /// Only failures of the store; the outcome says what became of it.
    pub async fn delete_object(
        &self,
        granted: Granted<'_, action::DeleteObject>,
        bucket: BucketId,
        version: VersionSelector,
        expected: Expected,
    ) -> Result<DeleteOutcome> {
        let actor = granted.actor();
        let deletion = self.deletion(granted.target().key.clone(), version, expected);
        let (origin, owner) = (self.origin(&actor), owner(&actor));
        let outcome = self.metadata.delete_object(&origin, bucket, &owner, deletion);
        Ok(outcome.await?)
    }

    /// Deletes several, each of which the caller was granted; an outcome for each.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn delete_objects(
        &self,
        granted: &[Granted<'_, action::DeleteObject>],
        actor: &Actor,
        bucket: BucketId,
        what: Vec<(VersionSelector, Expected)>,
    ) -> Result<Vec<DeleteOutcome>> {
        let deletions = granted
            .iter()
            .zip(what)
            .map(|(granted, (version, expected))| {
                self.deletion(granted.target().key.clone(), version, expected)
            })
            .collect();
        let (origin, owner) = (self.origin(actor), owner(actor));
        let outcomes = self.metadata.delete_objects(&origin, bucket, &owner, deletions);
        Ok(outcomes.await?)
    }

    fn deletion(&self, key: ObjectKey, version: VersionSelector, expected: Expected) -> DeleteObject {
        DeleteObject {
            key,
            version,
            expected,
            random: self.random(),
        }
    }
}
