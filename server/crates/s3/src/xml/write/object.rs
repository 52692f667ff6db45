//! `GetObjectAttributes`.

use super::multipart::PartEntry;
use super::writer::XmlWriter;
use crate::checksum::ObjectChecksum;
use crate::names::PartNumber;

/// What is told of an object: only what was asked for.
#[derive(Clone, Debug, Default)]
pub struct ObjectAttributes<'a> {
    /// The entity tag, without quotes, which is how this one answer has it.
    pub etag: Option<&'a str>,
    /// The checksum.
    pub checksum: Option<&'a ObjectChecksum>,
    /// Its parts.
    pub parts: Option<ObjectParts<'a>>,
    /// `STANDARD`, mostly.
    pub storage_class: Option<&'a str>,
    /// In bytes.
    pub size: Option<u64>,
}

/// The parts that an object was made of.
#[derive(Clone, Debug, Default)]
pub struct ObjectParts<'a> {
    /// How many there are in all.
    pub count: u16,
    /// Only those with higher numbers are shown.
    pub marker: u16,
    /// The last on this page, where more follow.
    pub next: Option<PartNumber>,
    /// The most on a page.
    pub max_parts: u16,
    /// Those on this page. AWS shows them only for objects whose parts have a checksum of their own.
    pub parts: Vec<PartEntry<'a>>,
}

/// `GetObjectAttributes`.
pub fn object_attributes(attributes: &ObjectAttributes<'_>) -> String {
    XmlWriter::document("GetObjectAttributesResponse", |xml| {
        xml.optional("ETag", attributes.etag);
        if let Some(checksum) = attributes.checksum {
            xml.nested("Checksum", |xml| {
                // Without the number of parts, which stands in `ObjectParts`.
                xml.text(checksum.algorithm().element(), &checksum.checksum().base64());
                xml.text("ChecksumType", checksum.kind().name());
            });
        }
        if let Some(parts) = &attributes.parts {
            xml.nested("ObjectParts", |xml| xml.parts(parts));
        }
        xml.optional("StorageClass", attributes.storage_class);
        if let Some(size) = attributes.size {
            xml.value("ObjectSize", size);
        }
    })
}

impl XmlWriter {
    fn parts(&mut self, parts: &ObjectParts<'_>) {
        self.value("PartsCount", parts.count);
        if parts.parts.is_empty() {
            return;
        }
        self.value("PartNumberMarker", parts.marker);
        if let Some(next) = parts.next {
            self.value("NextPartNumberMarker", next);
        }
        self.value("MaxParts", parts.max_parts);
        self.value("IsTruncated", parts.next.is_some());
        for part in &parts.parts {
            self.nested("Part", |xml| {
                xml.value("PartNumber", part.number);
                xml.value("Size", part.size);
                if let Some(checksum) = part.checksum {
                    xml.text(checksum.algorithm().element(), &checksum.base64());
                }
            });
        }
    }
}
