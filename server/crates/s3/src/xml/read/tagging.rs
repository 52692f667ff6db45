//! The body of `PutObjectTagging` and `PutBucketTagging`.

use super::elements::{Elements, malformed, once};
use crate::error::S3Error;
use crate::tags::{Tag, TagSet};

/// More tags than anything may have: what is beyond is not kept.
const MAX_TAGS: usize = 64;

/// Reads the tags of an object.
///
/// # Errors
/// `MalformedXML`, and as [`TagSet::of_object`].
pub fn read_object_tags(document: &[u8]) -> Result<TagSet, S3Error> {
    TagSet::of_object(read(document)?)
}

/// Reads the tags of a bucket.
///
/// # Errors
/// `MalformedXML`, and as [`TagSet::of_bucket`].
pub fn read_bucket_tags(document: &[u8]) -> Result<TagSet, S3Error> {
    TagSet::of_bucket(read(document)?)
}

fn read(document: &[u8]) -> Result<Vec<Tag>, S3Error> {
    let mut elements = Elements::open(document, "Tagging")?;
    let mut tags = None;
    while elements.next(&["TagSet"])?.is_some() {
        once(&mut tags, tag_set(&mut elements)?)?;
    }
    elements.finish()?;
    tags.ok_or_else(malformed)
}

/// The tags of the element that is open.
pub(super) fn tag_set(elements: &mut Elements<'_>) -> Result<Vec<Tag>, S3Error> {
    let mut tags = Vec::new();
    while elements.next(&["Tag"])?.is_some() {
        let (mut key, mut value) = (None, None);
        while let Some(name) = elements.next(&["Key", "Value"])? {
            let place = if name == "Key" { &mut key } else { &mut value };
            once(place, elements.text()?)?;
        }
        let (key, value): (String, String) = key.zip(value).ok_or_else(malformed)?;
        if tags.len() < MAX_TAGS {
            tags.push(Tag::new(key, value)?);
        }
    }
    Ok(tags)
}
