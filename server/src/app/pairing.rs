//! Whether rows and bytes belong together.
//!
//! With the rows of another store, or with none, collection would take every stored file for abandoned and delete it. So
//! the first start writes one store id into both sides, and a later start finds the same id in both or is refused.

use zas_blobs::BlobStore;
use zas_core::{IdSource, StoreId};
use zas_metadata::MetadataStore;

use super::AppError;

/// One of the two stores.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Side {
    /// Where it is, for messages.
    place: String,
    id: Option<StoreId>,
    is_empty: bool,
}

/// What the two sides say about each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pairing {
    /// They are one store.
    Same,
    /// A first start, or what one left that ended between its two ids; or what has no ids yet.
    New,
    /// They are not one store, for this reason.
    Foreign(&'static str),
}

const DIFFERENT: &str = "they have different store ids";
const NO_ROWS: &str = "there are stored bytes, but no rows";
const NO_BYTES: &str = "there are rows, but no stored bytes";
const NO_ID: &str = "only one of them has a store id";

fn compare(metadata: &Side, blobs: &Side) -> Pairing {
    match (metadata.id, blobs.id) {
        (Some(metadata), Some(blobs)) if metadata == blobs => Pairing::Same,
        (Some(_), Some(_)) => Pairing::Foreign(DIFFERENT),
        _ if metadata.is_empty && blobs.is_empty => Pairing::New,
        _ if metadata.is_empty => Pairing::Foreign(NO_ROWS),
        // What a version wrote that gave no ids; with small content alone there are no stored bytes.
        (None, None) => Pairing::New,
        _ if blobs.is_empty => Pairing::Foreign(NO_BYTES),
        _ => Pairing::Foreign(NO_ID),
    }
}

/// The two stores before anybody uses them.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) metadata: &'a dyn MetadataStore,
    pub(super) metadata_place: String,
    pub(super) blobs: &'a dyn BlobStore,
    pub(super) blobs_place: String,
}

impl Pair<'_> {
    /// Refuses stores that do not belong together, unless `adopt` says that they do from now on. Changes nothing.
    pub(super) async fn check(&self, adopt: bool) -> Result<(), AppError> {
        self.compare(adopt).await.map(drop)
    }

    /// Makes sure that both carry the same id. To be called by whoever has both for itself.
    pub(super) async fn join(&self, adopt: bool, ids: &dyn IdSource) -> Result<(), AppError> {
        let pairing = self.compare(adopt).await?;
        if pairing == Pairing::Same {
            return Ok(());
        }
        let now = self
            .metadata
            .now()
            .await
            .map_err(|error| failed("metadata", &error))?;
        // A new one also where one side has one: whoever has that one too must not find its store changed.
        let id = StoreId::new(ids.upload_id(now));
        self.blobs
            .set_store_id(id)
            .await
            .map_err(|error| failed("blob", &error))?;
        self.metadata
            .set_store_id(id)
            .await
            .map_err(|error| failed("metadata", &error))?;
        let (rows, bytes) = (&self.metadata_place, &self.blobs_place);
        match pairing {
            Pairing::Foreign(reason) => tracing::warn!(
                store = %id, rows, bytes,
                "adopted rows and bytes that do not belong together ({reason}) as one store"
            ),
            Pairing::Same | Pairing::New if self.is_empty().await? => tracing::warn!(
                store = %id, rows, bytes,
                "began a new store: if there should be content in it, stop the server and see whether the volumes are mounted"
            ),
            Pairing::Same | Pairing::New => tracing::info!(store = %id, rows, bytes, "gave the store an id"),
        }
        Ok(())
    }

    async fn compare(&self, adopt: bool) -> Result<Pairing, AppError> {
        let (metadata, blobs) = (self.metadata_side().await?, self.blob_side().await?);
        match compare(&metadata, &blobs) {
            Pairing::Foreign(reason) if !adopt => {
                Err(AppError::ForeignData(refusal(reason, &metadata, &blobs)))
            }
            pairing => Ok(pairing),
        }
    }

    async fn is_empty(&self) -> Result<bool, AppError> {
        Ok(self.metadata_side().await?.is_empty)
    }

    async fn metadata_side(&self) -> Result<Side, AppError> {
        let failed = |error| failed("metadata", &error);
        Ok(Side {
            place: self.metadata_place.clone(),
            id: self.metadata.store_id().await.map_err(failed)?,
            is_empty: self.metadata.is_empty().await.map_err(failed)?,
        })
    }

    async fn blob_side(&self) -> Result<Side, AppError> {
        let failed = |error| failed("blob", &error);
        Ok(Side {
            place: self.blobs_place.clone(),
            id: self.blobs.store_id().await.map_err(failed)?,
            is_empty: self.blobs.scan(None, 1).await.map_err(failed)?.is_empty(),
        })
    }
}

fn refusal(reason: &str, metadata: &Side, blobs: &Side) -> String {
    let name = |side: &Side| match (side.id, side.is_empty) {
        (Some(id), _) => format!("{} (store {id})", side.place),
        (None, true) => format!("{} (empty)", side.place),
        (None, false) => format!("{} (no store id)", side.place),
    };
    format!(
        "the rows in {} and the bytes in {} do not belong together: {reason}. Nothing was changed. See whether both volumes are \
         mounted and whether storage.metadata.path and storage.blobs.path are those of one store; restore both from the same \
         backup. If they shall be one store from now on, start once with --adopt: bytes that no row names may be deleted then",
        name(metadata),
        name(blobs)
    )
}

fn failed(store: &'static str, error: &dyn std::fmt::Display) -> AppError {
    AppError::Store {
        store,
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use zas_core::{Timestamp, UploadId};

    use super::*;

    fn side(id: Option<u8>, is_empty: bool) -> Side {
        let id = id.map(|seed| StoreId::new(UploadId::new(Timestamp::EPOCH, &[seed; 10])));
        Side {
            place: "here".to_owned(),
            id,
            is_empty,
        }
    }

    #[test]
    fn given_two_sides_when_compared_then_only_one_store_or_a_new_one_passes() {
        let cases = [
            ((Some(1), false), (Some(1), false), Pairing::Same),
            ((Some(1), false), (Some(1), true), Pairing::Same),
            ((None, true), (None, true), Pairing::New),
            ((None, true), (Some(1), true), Pairing::New),
            ((None, false), (None, false), Pairing::New),
            ((Some(1), false), (Some(2), false), Pairing::Foreign(DIFFERENT)),
            ((Some(1), true), (Some(2), true), Pairing::Foreign(DIFFERENT)),
            ((None, true), (Some(1), false), Pairing::Foreign(NO_ROWS)),
            ((None, true), (None, false), Pairing::Foreign(NO_ROWS)),
            ((Some(1), false), (None, true), Pairing::Foreign(NO_BYTES)),
            ((None, false), (None, true), Pairing::New),
            ((Some(1), false), (None, false), Pairing::Foreign(NO_ID)),
            ((None, false), (Some(1), false), Pairing::Foreign(NO_ID)),
        ];
        for (metadata, blobs, expected) in cases {
            let found = compare(&side(metadata.0, metadata.1), &side(blobs.0, blobs.1));
            assert_eq!(found, expected, "{metadata:?} {blobs:?}");
        }
    }
}
