//! `CopyObject` and `UploadPartCopy`.

use zas_core::Timestamp;

use super::writer::XmlWriter;
use crate::checksum::ObjectChecksum;
use crate::time::iso8601;

/// What a copy made.
#[derive(Clone, Copy, Debug)]
pub struct CopyResult<'a> {
    /// When it was written.
    pub last_modified: Timestamp,
    /// The entity tag, without quotes.
    pub etag: &'a str,
    /// The checksum.
    pub checksum: Option<&'a ObjectChecksum>,
}

/// `CopyObject`.
pub fn copy_object_result(copy: &CopyResult<'_>) -> String {
    XmlWriter::document("CopyObjectResult", |xml| {
        xml.copy(copy);
        xml.optional(
            "ChecksumType",
            copy.checksum.map(|checksum| checksum.kind().name()),
        );
    })
}

/// `UploadPartCopy`.
pub fn copy_part_result(copy: &CopyResult<'_>) -> String {
    XmlWriter::document("CopyPartResult", |xml| xml.copy(copy))
}

impl XmlWriter {
    fn copy(&mut self, copy: &CopyResult<'_>) {
        self.text("LastModified", &iso8601(copy.last_modified));
        self.etag(copy.etag);
        if let Some(checksum) = copy.checksum {
            self.text(checksum.algorithm().element(), &checksum.text());
        }
    }
}
