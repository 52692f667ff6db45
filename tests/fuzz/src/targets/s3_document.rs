//! XML that S3 clients send.

use std::fmt::Write;

use zas_s3::conditions::ETagMatch;
use zas_s3::tags::TagSet;
use zas_s3::xml::{
    CompletedUpload, CreateBucketConfiguration, DeleteObjects, read_bucket_tags, read_object_tags,
    read_versioning, tagging, versioning,
};

use crate::Verdict;
use crate::input::Input;

/// The first byte chooses the document. What is read is read again from what it is written as, within its limits.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let kind = input.byte() % 6;
    let document = input.rest();
    let is_accepted = match kind {
        0 => complete(document),
        1 => delete(document),
        2 => tags(document, read_object_tags, 10),
        3 => tags(document, read_bucket_tags, 50),
        4 => read_versioning(document).is_ok_and(|status| {
            assert_eq!(read_versioning(versioning(Some(status)).as_bytes()), Ok(status));
            true
        }),
        _ => create_bucket(document),
    };
    Verdict::accepted_if(is_accepted)
}

fn complete(document: &[u8]) -> bool {
    let Ok(upload) = CompletedUpload::read(document) else {
        return false;
    };
    let mut text = String::from("<CompleteMultipartUpload>");
    for part in upload.parts() {
        let _ = write!(text, "<Part><PartNumber>{}</PartNumber>", part.number);
        element(&mut text, "ETag", &part.etag.quoted());
        if let Some(checksum) = part.checksum {
            element(&mut text, checksum.algorithm().element(), &checksum.base64());
        }
        text.push_str("</Part>");
    }
    text.push_str("</CompleteMultipartUpload>");
    let numbers: Vec<u16> = upload.parts().iter().map(|part| part.number.get()).collect();
    assert!(numbers.is_sorted_by(|first, second| first < second) && !numbers.is_empty());
    assert_eq!(CompletedUpload::read(text.as_bytes()).as_ref(), Ok(&upload));
    true
}

fn delete(document: &[u8]) -> bool {
    let Ok(delete) = DeleteObjects::read(document) else {
        return false;
    };
    assert!((1..=1000).contains(&delete.objects.len()));
    let mut text = format!("<Delete><Quiet>{}</Quiet>", delete.quiet);
    for object in &delete.objects {
        text.push_str("<Object>");
        element(&mut text, "Key", object.key.as_str());
        match &object.version {
            Ok(Some(version)) => element(&mut text, "VersionId", version.as_str()),
            Ok(None) => {}
            // A version that cannot be is an answer for its key alone; there is nothing to write.
            Err(_) => return true,
        }
        match &object.if_match {
            Some(ETagMatch::Any) => element(&mut text, "ETag", "*"),
            Some(ETagMatch::Tag(tag)) => element(&mut text, "ETag", &tag.quoted()),
            Some(ETagMatch::Weak(tag)) => element(&mut text, "ETag", &format!("W/{}", tag.quoted())),
            None => {}
        }
        text.push_str("</Object>");
    }
    text.push_str("</Delete>");
    assert_eq!(DeleteObjects::read(text.as_bytes()).as_ref(), Ok(&delete));
    true
}

fn tags(document: &[u8], read: fn(&[u8]) -> Result<TagSet, zas_s3::S3Error>, most: usize) -> bool {
    let Ok(tags) = read(document) else {
        return false;
    };
    assert!(tags.tags().len() <= most);
    assert_eq!(read(tagging(&tags).as_bytes()).as_ref(), Ok(&tags));
    true
}

fn create_bucket(document: &[u8]) -> bool {
    let Ok(configuration) = CreateBucketConfiguration::read(document) else {
        return false;
    };
    let mut text = String::from("<CreateBucketConfiguration>");
    if let Some(location) = &configuration.location {
        element(&mut text, "LocationConstraint", location);
    }
    text.push_str("<Tags>");
    for tag in configuration.tags.tags() {
        text.push_str("<Tag>");
        element(&mut text, "Key", tag.key());
        element(&mut text, "Value", tag.value());
        text.push_str("</Tag>");
    }
    text.push_str("</Tags></CreateBucketConfiguration>");
    assert_eq!(
        CreateBucketConfiguration::read(text.as_bytes()).as_ref(),
        Ok(&configuration)
    );
    true
}

/// Every character as a number, so that nothing in it can be markup.
fn element(text: &mut String, name: &str, value: &str) {
    let _ = write!(text, "<{name}>");
    for character in value.chars() {
        let _ = write!(text, "&#{};", u32::from(character));
    }
    let _ = write!(text, "</{name}>");
}
