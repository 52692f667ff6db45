//! `ListObjectVersions`.

use zas_core::Timestamp;

use super::listing::ObjectEntry;
use super::writer::{Owner, XmlWriter};
use crate::listing::{KeyEncoding, ListObjectVersionsParameters};
use crate::time::iso8601;

/// A version or a delete marker in a list.
#[derive(Clone, Copy, Debug)]
pub enum VersionEntry<'a> {
    /// A version with content.
    Version {
        /// What an object shows.
        object: ObjectEntry<'a>,
        /// `null` or an id.
        version_id: &'a str,
        /// The newest of its key.
        is_latest: bool,
    },
    /// A delete marker.
    DeleteMarker {
        /// The key.
        key: &'a str,
        /// `null` or an id.
        version_id: &'a str,
        /// The newest of its key.
        is_latest: bool,
        /// When it was made.
        last_modified: Timestamp,
        /// Who made it.
        owner: Option<Owner<'a>>,
    },
}

/// Where the next page of versions begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionPage<'a> {
    /// Behind this key or common prefix,
    pub next_key: &'a str,
    /// and behind this version of it.
    pub next_version: Option<&'a str>,
}

/// `ListObjectVersions`, entries in the order of their keys, the newest first; `next` where more follow.
pub fn list_object_versions<'a>(
    bucket: &str,
    parameters: &ListObjectVersionsParameters,
    entries: impl IntoIterator<Item = VersionEntry<'a>>,
    prefixes: impl IntoIterator<Item = &'a str>,
    next: Option<VersionPage<'_>>,
) -> String {
    let encoding = parameters.encoding;
    XmlWriter::document("ListVersionsResult", |xml| {
        xml.text("Name", bucket);
        xml.text("Prefix", &encoding.of_text(&parameters.prefix));
        let marker = parameters.key_marker.as_deref().unwrap_or_default();
        xml.text("KeyMarker", &encoding.of_text(marker));
        let version = parameters.version_id_marker.as_ref();
        xml.text("VersionIdMarker", version.map_or("", |version| version.as_str()));
        if let Some(next) = next {
            xml.text("NextKeyMarker", &encoding.of_text(next.next_key));
            xml.optional("NextVersionIdMarker", next.next_version);
        }
        xml.value("MaxKeys", parameters.max_keys);
        xml.delimiter(encoding, parameters.delimiter.as_deref());
        xml.value("IsTruncated", next.is_some());
        for entry in entries {
            xml.version(encoding, &entry);
        }
        xml.common_prefixes(encoding, prefixes);
    })
}

impl XmlWriter {
    fn version(&mut self, encoding: KeyEncoding, entry: &VersionEntry<'_>) {
        match entry {
            VersionEntry::Version {
                object,
                version_id,
                is_latest,
            } => self.nested("Version", |xml| {
                xml.identity(encoding, object.key, version_id, *is_latest, object.last_modified);
                xml.etag(object.etag);
                xml.checksum_kind(object.checksum);
                xml.value("Size", object.size);
                xml.text("StorageClass", object.storage_class);
                if let Some(owner) = object.owner {
                    xml.owner("Owner", owner);
                }
            }),
            VersionEntry::DeleteMarker {
                key,
                version_id,
                is_latest,
                last_modified,
                owner,
            } => {
                self.nested("DeleteMarker", |xml| {
                    xml.identity(encoding, key, version_id, *is_latest, *last_modified);
                    if let Some(owner) = owner {
                        xml.owner("Owner", *owner);
                    }
                });
            }
        }
    }

    fn identity(
        &mut self,
        encoding: KeyEncoding,
        key: &str,
        version_id: &str,
        is_latest: bool,
        last_modified: Timestamp,
    ) {
        self.text("Key", &encoding.of_text(key));
        self.text("VersionId", version_id);
        self.value("IsLatest", is_latest);
        self.text("LastModified", &iso8601(last_modified));
    }
}
