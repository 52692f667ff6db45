//! Multipart uploads.

use zas_core::Timestamp;

use super::writer::{Owner, XmlWriter};
use crate::checksum::{Checksum, ObjectChecksum};
use crate::listing::{ListMultipartUploadsParameters, ListPartsParameters};
use crate::names::{MultipartUploadId, ObjectKey, PartNumber};
use crate::time::iso8601;

/// `CreateMultipartUpload`.
pub fn initiate_multipart_upload(bucket: &str, key: &ObjectKey, upload: &MultipartUploadId) -> String {
    XmlWriter::document("InitiateMultipartUploadResult", |xml| {
        xml.text("Bucket", bucket);
        xml.text("Key", key.as_str());
        xml.text("UploadId", upload.as_str());
    })
}

/// An object that was made of parts.
#[derive(Clone, Copy, Debug)]
pub struct CompletedObject<'a> {
    /// Its address.
    pub location: &'a str,
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a ObjectKey,
    /// The entity tag, without quotes.
    pub etag: &'a str,
    /// The checksum.
    pub checksum: Option<&'a ObjectChecksum>,
}

/// `CompleteMultipartUpload`.
pub fn complete_multipart_upload(object: &CompletedObject<'_>) -> String {
    XmlWriter::document("CompleteMultipartUploadResult", |xml| {
        xml.text("Location", object.location);
        xml.text("Bucket", object.bucket);
        xml.text("Key", object.key.as_str());
        xml.etag(object.etag);
        if let Some(checksum) = object.checksum {
            xml.text(checksum.algorithm().element(), &checksum.text());
            xml.text("ChecksumType", checksum.kind().name());
        }
    })
}

/// An open upload in a list.
#[derive(Clone, Copy, Debug)]
pub struct UploadEntry<'a> {
    /// The key.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a str,
    /// Who began it.
    pub initiator: Owner<'a>,
    /// Whose the object will be.
    pub owner: Owner<'a>,
    /// `STANDARD`, mostly.
    pub storage_class: &'a str,
    /// When it began.
    pub initiated: Timestamp,
    /// The algorithm and the type of its checksum.
    pub checksum: Option<(&'a str, &'a str)>,
}

/// Where the next page of uploads begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadPage<'a> {
    /// Behind this key or common prefix,
    pub next_key: &'a str,
    /// and behind this upload to it; empty behind a common prefix.
    pub next_upload: &'a str,
}

/// `ListMultipartUploads`; `next` where more follow.
pub fn list_multipart_uploads<'a>(
    bucket: &str,
    parameters: &ListMultipartUploadsParameters,
    uploads: impl IntoIterator<Item = UploadEntry<'a>>,
    prefixes: impl IntoIterator<Item = &'a str>,
    next: Option<UploadPage<'_>>,
) -> String {
    let encoding = parameters.encoding;
    XmlWriter::document("ListMultipartUploadsResult", |xml| {
        xml.text("Bucket", bucket);
        let marker = parameters.key_marker.as_deref().unwrap_or_default();
        xml.text("KeyMarker", &encoding.of_text(marker));
        let upload = parameters.upload_id_marker.as_ref();
        xml.text("UploadIdMarker", upload.map_or("", |upload| upload.as_str()));
        if let Some(next) = next {
            xml.text("NextKeyMarker", &encoding.of_text(next.next_key));
            xml.text("NextUploadIdMarker", next.next_upload);
        }
        xml.text("Prefix", &encoding.of_text(&parameters.prefix));
        xml.delimiter(encoding, parameters.delimiter.as_deref());
        xml.value("MaxUploads", parameters.max_uploads);
        xml.value("IsTruncated", next.is_some());
        for upload in uploads {
            xml.nested("Upload", |xml| {
                xml.text("Key", &encoding.of_text(upload.key));
                xml.text("UploadId", upload.upload_id);
                xml.owner("Initiator", upload.initiator);
                xml.owner("Owner", upload.owner);
                xml.text("StorageClass", upload.storage_class);
                xml.text("Initiated", &iso8601(upload.initiated));
                xml.checksum_kind(upload.checksum);
            });
        }
        xml.common_prefixes(encoding, prefixes);
    })
}

/// A part in a list.
#[derive(Clone, Copy, Debug)]
pub struct PartEntry<'a> {
    /// The number.
    pub number: PartNumber,
    /// When it was written.
    pub last_modified: Timestamp,
    /// The entity tag, without quotes.
    pub etag: &'a str,
    /// In bytes.
    pub size: u64,
    /// The checksum.
    pub checksum: Option<Checksum>,
}

/// `ListParts`; `next` is the last part of a page that more follow. `upload` tells whose parts they are; of a list
/// its key is not encoded.
pub fn list_parts<'a>(
    bucket: &str,
    upload: &UploadEntry<'_>,
    parameters: &ListPartsParameters,
    parts: impl IntoIterator<Item = PartEntry<'a>>,
    next: Option<PartNumber>,
) -> String {
    XmlWriter::document("ListPartsResult", |xml| {
        xml.text("Bucket", bucket);
        xml.text("Key", upload.key);
        xml.text("UploadId", upload.upload_id);
        xml.owner("Initiator", upload.initiator);
        xml.owner("Owner", upload.owner);
        xml.text("StorageClass", upload.storage_class);
        xml.value("PartNumberMarker", parameters.part_number_marker);
        if let Some(next) = next {
            xml.value("NextPartNumberMarker", next);
        }
        xml.value("MaxParts", parameters.max_parts);
        xml.value("IsTruncated", next.is_some());
        xml.checksum_kind(upload.checksum);
        for part in parts {
            xml.nested("Part", |xml| {
                xml.value("PartNumber", part.number);
                xml.text("LastModified", &iso8601(part.last_modified));
                xml.etag(part.etag);
                xml.value("Size", part.size);
                if let Some(checksum) = part.checksum {
                    xml.text(checksum.algorithm().element(), &checksum.base64());
                }
            });
        }
    })
}
