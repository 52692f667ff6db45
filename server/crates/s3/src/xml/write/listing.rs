//! `ListObjects` and `ListObjectsV2`.

use zas_core::Timestamp;

use super::writer::{Owner, XmlWriter};
use crate::listing::{
    ContinuationToken, KeyEncoding, ListObjectsParameters, ListObjectsV2Parameters, ListPosition,
};
use crate::time::iso8601;

/// An object in a list.
#[derive(Clone, Copy, Debug)]
pub struct ObjectEntry<'a> {
    /// The key.
    pub key: &'a str,
    /// When it was written.
    pub last_modified: Timestamp,
    /// The entity tag, without quotes.
    pub etag: &'a str,
    /// In bytes.
    pub size: u64,
    /// `STANDARD`, mostly.
    pub storage_class: &'a str,
    /// Whose it is, where that is asked for.
    pub owner: Option<Owner<'a>>,
    /// The algorithm and the type of its checksum.
    pub checksum: Option<(&'a str, &'a str)>,
}

/// `ListObjects`; `next` where more follow. As with AWS, clients are told it only where keys are shown as one: else
/// the last key is what to continue from.
pub fn list_objects<'a>(
    bucket: &str,
    parameters: &ListObjectsParameters,
    objects: impl IntoIterator<Item = ObjectEntry<'a>>,
    prefixes: impl IntoIterator<Item = &'a str>,
    next: Option<&ListPosition>,
) -> String {
    let encoding = parameters.encoding;
    XmlWriter::document("ListBucketResult", |xml| {
        xml.text("Name", bucket);
        xml.text("Prefix", &encoding.of_text(&parameters.prefix));
        xml.text(
            "Marker",
            &encoding.of_text(parameters.marker.as_deref().unwrap_or_default()),
        );
        if let Some(next) = next.filter(|_| parameters.delimiter.is_some()) {
            xml.text("NextMarker", &encoding.of_text(next.marker()));
        }
        xml.value("MaxKeys", parameters.max_keys);
        xml.delimiter(encoding, parameters.delimiter.as_deref());
        xml.value("IsTruncated", next.is_some());
        for object in objects {
            xml.object(encoding, &object);
        }
        xml.common_prefixes(encoding, prefixes);
    })
}

/// `ListObjectsV2`; `next` where more follow.
pub fn list_objects_v2<'a, O, P>(
    bucket: &str,
    parameters: &ListObjectsV2Parameters,
    objects: O,
    prefixes: P,
    next: Option<&ListPosition>,
) -> String
where
    O: IntoIterator<Item = ObjectEntry<'a>, IntoIter: ExactSizeIterator>,
    P: IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator>,
{
    let (encoding, objects, prefixes) = (parameters.encoding, objects.into_iter(), prefixes.into_iter());
    XmlWriter::document("ListBucketResult", |xml| {
        xml.text("Name", bucket);
        xml.text("Prefix", &encoding.of_text(&parameters.prefix));
        if let Some(start) = &parameters.start_after {
            xml.text("StartAfter", &encoding.of_text(start));
        }
        if let Some(token) = &parameters.continuation_token {
            xml.text("ContinuationToken", &token.text());
        }
        if let Some(next) = next {
            xml.text(
                "NextContinuationToken",
                &ContinuationToken::new(next.clone()).text(),
            );
        }
        xml.value("KeyCount", objects.len() + prefixes.len());
        xml.value("MaxKeys", parameters.max_keys);
        xml.delimiter(encoding, parameters.delimiter.as_deref());
        xml.value("IsTruncated", next.is_some());
        for object in objects {
            xml.object(encoding, &object);
        }
        xml.common_prefixes(encoding, prefixes);
    })
}

impl XmlWriter {
    /// What keys are cut at, and how they are encoded.
    pub(super) fn delimiter(&mut self, encoding: KeyEncoding, delimiter: Option<&str>) {
        if let Some(delimiter) = delimiter {
            self.text("Delimiter", &encoding.of_text(delimiter));
        }
        if encoding == KeyEncoding::Url {
            self.text("EncodingType", "url");
        }
    }

    /// What stands for several keys.
    pub(super) fn common_prefixes<'a>(
        &mut self,
        encoding: KeyEncoding,
        prefixes: impl IntoIterator<Item = &'a str>,
    ) {
        for prefix in prefixes {
            self.nested("CommonPrefixes", |xml| {
                xml.text("Prefix", &encoding.of_text(prefix));
            });
        }
    }

    /// The algorithm and the type of a checksum.
    pub(super) fn checksum_kind(&mut self, checksum: Option<(&str, &str)>) {
        if let Some((algorithm, kind)) = checksum {
            self.text("ChecksumAlgorithm", algorithm);
            self.text("ChecksumType", kind);
        }
    }

    fn object(&mut self, encoding: KeyEncoding, object: &ObjectEntry<'_>) {
        self.nested("Contents", |xml| {
            xml.text("Key", &encoding.of_text(object.key));
            xml.text("LastModified", &iso8601(object.last_modified));
            xml.etag(object.etag);
            xml.checksum_kind(object.checksum);
            xml.value("Size", object.size);
            if let Some(owner) = object.owner {
                xml.owner("Owner", owner);
            }
            xml.text("StorageClass", object.storage_class);
        });
    }
}
