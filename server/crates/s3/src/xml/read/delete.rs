//! The body of `DeleteObjects`.

use super::elements::{Elements, malformed, once};
use crate::conditions::ETagMatch;
use crate::error::{ErrorCode, S3Error};
use crate::names::{ObjectKey, VersionId};

const MAX_KEYS: usize = 1000;

/// One of the objects to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectToDelete {
    /// The key.
    pub key: ObjectKey,
    /// The version; the error is the answer for this key alone.
    pub version: Result<Option<VersionId>, S3Error>,
    /// Only if this is its entity tag.
    pub if_match: Option<ETagMatch>,
}

/// What is to be deleted: 1 to 1,000 objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObjects {
    /// Only errors are answered.
    pub quiet: bool,
    /// In the order of the answer.
    pub objects: Vec<ObjectToDelete>,
}

impl DeleteObjects {
    /// Reads the document.
    ///
    /// # Errors
    /// `MalformedXML`, also without objects or with more than 1,000; `KeyTooLongError`; `NotImplemented` for the
    /// conditions of directory buckets.
    pub fn read(document: &[u8]) -> Result<Self, S3Error> {
        let mut elements = Elements::open(document, "Delete")?;
        let (mut quiet, mut objects) = (None, Vec::new());
        while let Some(name) = elements.next(&["Quiet", "Object"])? {
            if name == "Quiet" {
                once(&mut quiet, boolean(&elements.trimmed()?)?)?;
                continue;
            }
            if objects.len() == MAX_KEYS {
                return Err(malformed());
            }
            objects.push(object(&mut elements)?);
        }
        elements.finish()?;
        if objects.is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            quiet: quiet.unwrap_or(false),
            objects,
        })
    }
}

fn boolean(text: &str) -> Result<bool, S3Error> {
    match text {
        "true" | "True" | "TRUE" | "1" => Ok(true),
        "false" | "False" | "FALSE" | "0" => Ok(false),
        _ => Err(malformed()),
    }
}

fn object(elements: &mut Elements<'_>) -> Result<ObjectToDelete, S3Error> {
    let (mut key, mut version, mut if_match) = (None, None, None);
    while let Some(name) = elements.next(&["Key", "VersionId", "ETag", "LastModifiedTime", "Size"])? {
        match name {
            "Key" => once(&mut key, elements.text()?)?,
            "VersionId" => once(&mut version, elements.trimmed()?)?,
            "ETag" => {
                let tag = ETagMatch::parse(&elements.text()?).map_err(|_| malformed())?;
                once(&mut if_match, tag)?;
            }
            other => {
                let message = format!("This server does not implement the condition {other}.");
                return Err(S3Error::with_message(ErrorCode::NotImplemented, message));
            }
        }
    }
    let key = key.filter(|key: &String| !key.is_empty()).ok_or_else(malformed)?;
    Ok(ObjectToDelete {
        key: ObjectKey::from_bytes(key.as_bytes())?,
        version: version.map(|text: String| VersionId::parse(&text)).transpose(),
        if_match,
    })
}
