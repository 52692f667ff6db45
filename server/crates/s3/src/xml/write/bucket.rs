//! Buckets and what is set for them.

use zas_core::Timestamp;

use super::writer::{Owner, XmlWriter};
use crate::listing::{ContinuationToken, ListBucketsParameters};
use crate::tags::TagSet;
use crate::time::iso8601;
use crate::xml::VersioningStatus;

/// The region that is told by naming none.
const DEFAULT_REGION: &str = "us-east-1";

/// A bucket in a list.
#[derive(Clone, Copy, Debug)]
pub struct BucketEntry<'a> {
    /// The name.
    pub name: &'a str,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where it is.
    pub region: &'a str,
}

/// `ListBuckets`; `next` where more follow.
pub fn list_buckets<'a>(
    parameters: &ListBucketsParameters,
    owner: Owner<'_>,
    buckets: impl IntoIterator<Item = BucketEntry<'a>>,
    next: Option<&ContinuationToken>,
) -> String {
    XmlWriter::document("ListAllMyBucketsResult", |xml| {
        xml.owner("Owner", owner);
        xml.nested("Buckets", |xml| {
            for bucket in buckets {
                xml.nested("Bucket", |xml| {
                    xml.text("Name", bucket.name);
                    xml.text("CreationDate", &iso8601(bucket.created_at));
                    xml.text("BucketRegion", bucket.region);
                });
            }
        });
        if !parameters.prefix.is_empty() {
            xml.text("Prefix", &parameters.prefix);
        }
        if let Some(next) = next {
            xml.text("ContinuationToken", &next.text());
        }
    })
}

/// `GetBucketLocation`: empty for `us-east-1`.
pub fn location(region: &str) -> String {
    XmlWriter::document("LocationConstraint", |xml| {
        if region != DEFAULT_REGION {
            xml.characters(region);
        }
    })
}

/// `GetBucketVersioning`: without a status while versioning was never on.
pub fn versioning(status: Option<VersioningStatus>) -> String {
    XmlWriter::document("VersioningConfiguration", |xml| {
        xml.optional("Status", status.map(VersioningStatus::name));
    })
}

/// `GetBucketTagging` and `GetObjectTagging`. A bucket without tags is `NoSuchTagSet` instead.
pub fn tagging(tags: &TagSet) -> String {
    XmlWriter::document("Tagging", |xml| {
        xml.nested("TagSet", |xml| {
            for tag in tags.tags() {
                xml.nested("Tag", |xml| {
                    xml.text("Key", tag.key());
                    xml.text("Value", tag.value());
                });
            }
        });
    })
}
