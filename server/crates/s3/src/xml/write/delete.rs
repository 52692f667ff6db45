//! `DeleteObjects`.

use super::writer::XmlWriter;
use crate::error::S3Error;

/// What became of one key.
#[derive(Clone, Copy, Debug)]
pub enum DeletedObject<'a> {
    /// It is gone, or was not there.
    Deleted {
        /// The key.
        key: &'a str,
        /// The version that the client named.
        version_id: Option<&'a str>,
        /// The delete marker that was made, or the one that was deleted.
        delete_marker: Option<&'a str>,
    },
    /// It is still there.
    Failed {
        /// The key.
        key: &'a str,
        /// The version that the client named.
        version_id: Option<&'a str>,
        /// Why.
        error: &'a S3Error,
    },
}

/// `DeleteObjects`, one result for each key; a quiet answer has the failures alone.
pub fn delete_result<'a>(quiet: bool, results: impl IntoIterator<Item = DeletedObject<'a>>) -> String {
    XmlWriter::document("DeleteResult", |xml| {
        for result in results {
            match result {
                DeletedObject::Deleted { .. } if quiet => {}
                DeletedObject::Deleted {
                    key,
                    version_id,
                    delete_marker,
                } => xml.nested("Deleted", |xml| {
                    xml.text("Key", key);
                    xml.optional("VersionId", version_id);
                    if let Some(marker) = delete_marker {
                        xml.value("DeleteMarker", true);
                        xml.text("DeleteMarkerVersionId", marker);
                    }
                }),
                DeletedObject::Failed {
                    key,
                    version_id,
                    error,
                } => xml.nested("Error", |xml| {
                    xml.text("Key", key);
                    xml.optional("VersionId", version_id);
                    xml.text("Code", error.code().as_str());
                    xml.text("Message", error.message());
                }),
            }
        }
    })
}
