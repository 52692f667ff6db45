//! Operations on objects.

use super::action::Action;
use super::copy_source::CopySource;
use super::never_set::ObjectLockProperty;
use super::{Body, not_allowed, sub_resource};
use crate::error::S3Error;
use crate::head::{Method, RequestHead};
use crate::names::{MultipartUploadId, PartNumber, VersionId};

/// An operation on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectOperation {
    /// `GetObject`
    Get {
        /// The current one without.
        version: Option<VersionId>,
        /// Only this part.
        part: Option<PartNumber>,
    },
    /// `HeadObject`
    Head {
        /// The current one without.
        version: Option<VersionId>,
        /// Only this part.
        part: Option<PartNumber>,
    },
    /// `PutObject`
    Put,
    /// `CopyObject`
    Copy {
        /// What is read.
        source: CopySource,
    },
    /// `DeleteObject`
    Delete {
        /// For good; without, versioning decides.
        version: Option<VersionId>,
    },
    /// `GetObjectAttributes`
    GetAttributes {
        /// The current one without.
        version: Option<VersionId>,
    },
    /// `GetObjectTagging`
    GetTagging {
        /// The current one without.
        version: Option<VersionId>,
    },
    /// `PutObjectTagging`
    PutTagging {
        /// The current one without.
        version: Option<VersionId>,
    },
    /// `DeleteObjectTagging`
    DeleteTagging {
        /// The current one without.
        version: Option<VersionId>,
    },
    /// `GetObjectAcl`: the owner's `FULL_CONTROL`
    GetAcl {
        /// The current one without.
        version: Option<VersionId>,
    },
    /// `PutObjectAcl`: changes nothing ([`check_put_acl`](crate::headers::check_put_acl))
    PutAcl {
        /// The current one without.
        version: Option<VersionId>,
    },
    /// Reads a property that is never set.
    GetLockProperty {
        /// Which.
        property: ObjectLockProperty,
        /// The current one without.
        version: Option<VersionId>,
    },
    /// `CreateMultipartUpload`
    CreateMultipartUpload,
    /// `UploadPart`
    UploadPart {
        /// Of which upload.
        upload: MultipartUploadId,
        /// Which part.
        part: PartNumber,
    },
    /// `UploadPartCopy`
    UploadPartCopy {
        /// Of which upload.
        upload: MultipartUploadId,
        /// Which part.
        part: PartNumber,
        /// What is read.
        source: CopySource,
    },
    /// `CompleteMultipartUpload`
    CompleteMultipartUpload {
        /// Which upload.
        upload: MultipartUploadId,
    },
    /// `AbortMultipartUpload`
    AbortMultipartUpload {
        /// Which upload.
        upload: MultipartUploadId,
    },
    /// `ListParts`
    ListParts {
        /// Of which upload.
        upload: MultipartUploadId,
    },
    /// What a page of another origin may do. Without a CORS configuration: `AccessForbidden`.
    Preflight,
}

impl ObjectOperation {
    pub(super) fn of(head: &RequestHead<'_>) -> Result<Self, S3Error> {
        let sub_resource = sub_resource::of(&head.query)?;
        match (head.method, sub_resource) {
            (Method::Options, _) => Ok(Self::Preflight),
            (Method::Head, _) => Ok(Self::Head {
                version: version(head)?,
                part: part(head)?,
            }),
            (Method::Get, None) => Ok(Self::Get {
                version: version(head)?,
                part: part(head)?,
            }),
            (Method::Put, None) => put(head),
            (Method::Delete, None) => Ok(Self::Delete {
                version: version(head)?,
            }),
            (Method::Post, None) => Err(not_allowed(Method::Post, "OBJECT")),
            (Method::Post, Some("uploads")) => Ok(Self::CreateMultipartUpload),
            (method, Some("uploadId")) => Self::of_upload(method, head),
            (method, Some(name)) => Self::of_version(method, name, version(head)?),
        }
    }

    fn of_upload(method: Method, head: &RequestHead<'_>) -> Result<Self, S3Error> {
        let upload = MultipartUploadId::parse(head.query.text("uploadId")?.unwrap_or_default())?;
        match method {
            Method::Get => Ok(Self::ListParts { upload }),
            Method::Post => Ok(Self::CompleteMultipartUpload { upload }),
            Method::Delete => Ok(Self::AbortMultipartUpload { upload }),
            Method::Put => {
                let part = part(head)?.ok_or_else(|| {
                    S3Error::invalid_argument(
                        "This operation does not accept a query-string.",
                        "ResourceType",
                        "uploadId",
                    )
                })?;
                Ok(match CopySource::of(&head.headers)? {
                    None => Self::UploadPart { upload, part },
                    Some(source) => Self::UploadPartCopy { upload, part, source },
                })
            }
            Method::Head | Method::Options => Err(sub_resource::refuse_on_object(method, "uploadId")),
        }
    }

    fn of_version(method: Method, name: &str, version: Option<VersionId>) -> Result<Self, S3Error> {
        match (method, name) {
            (Method::Get, "attributes") => Ok(Self::GetAttributes { version }),
            (Method::Get, "tagging") => Ok(Self::GetTagging { version }),
            (Method::Put, "tagging") => Ok(Self::PutTagging { version }),
            (Method::Delete, "tagging") => Ok(Self::DeleteTagging { version }),
            (Method::Get, "acl") => Ok(Self::GetAcl { version }),
            (Method::Put, "acl") => Ok(Self::PutAcl { version }),
            (Method::Get, "retention") => Ok(Self::GetLockProperty {
                property: ObjectLockProperty::Retention,
                version,
            }),
            (Method::Get, "legal-hold") => Ok(Self::GetLockProperty {
                property: ObjectLockProperty::LegalHold,
                version,
            }),
            _ => Err(sub_resource::refuse_on_object(method, name)),
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Get { .. } => "GetObject",
            Self::Head { .. } => "HeadObject",
            Self::Put => "PutObject",
            Self::Copy { .. } => "CopyObject",
            Self::Delete { .. } => "DeleteObject",
            Self::GetAttributes { .. } => "GetObjectAttributes",
            Self::GetTagging { .. } => "GetObjectTagging",
            Self::PutTagging { .. } => "PutObjectTagging",
            Self::DeleteTagging { .. } => "DeleteObjectTagging",
            Self::GetAcl { .. } => "GetObjectAcl",
            Self::PutAcl { .. } => "PutObjectAcl",
            Self::GetLockProperty {
                property: ObjectLockProperty::Retention,
                ..
            } => "GetObjectRetention",
            Self::GetLockProperty {
                property: ObjectLockProperty::LegalHold,
                ..
            } => "GetObjectLegalHold",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart { .. } => "UploadPart",
            Self::UploadPartCopy { .. } => "UploadPartCopy",
            Self::CompleteMultipartUpload { .. } => "CompleteMultipartUpload",
            Self::AbortMultipartUpload { .. } => "AbortMultipartUpload",
            Self::ListParts { .. } => "ListParts",
            Self::Preflight => "PreflightRequest",
        }
    }

    pub(super) const fn body(&self) -> Body {
        match self {
            Self::Put | Self::UploadPart { .. } => Body::Content,
            Self::PutTagging { .. } | Self::PutAcl { .. } | Self::CompleteMultipartUpload { .. } => {
                Body::Document
            }
            _ => Body::None,
        }
    }

    pub(super) const fn actions(&self) -> &'static [Action] {
        match self {
            Self::Get { version: None, .. } | Self::Head { version: None, .. } => &[Action::GetObject],
            Self::Get { .. } | Self::Head { .. } => &[Action::GetObjectVersion],
            Self::Delete { version: None } => &[Action::DeleteObject],
            Self::Delete { .. } => &[Action::DeleteObjectVersion],
            Self::GetAttributes { version: None } => &[Action::GetObject, Action::GetObjectAttributes],
            Self::GetAttributes { .. } => &[Action::GetObjectVersion, Action::GetObjectVersionAttributes],
            Self::GetTagging { version: None } => &[Action::GetObjectTagging],
            Self::GetTagging { .. } => &[Action::GetObjectVersionTagging],
            Self::PutTagging { version: None } => &[Action::PutObjectTagging],
            Self::PutTagging { .. } => &[Action::PutObjectVersionTagging],
            Self::DeleteTagging { version: None } => &[Action::DeleteObjectTagging],
            Self::DeleteTagging { .. } => &[Action::DeleteObjectVersionTagging],
            Self::GetAcl { version: None } => &[Action::GetObjectAcl],
            Self::GetAcl { .. } => &[Action::GetObjectVersionAcl],
            Self::PutAcl { version: None } => &[Action::PutObjectAcl],
            Self::PutAcl { .. } => &[Action::PutObjectVersionAcl],
            Self::GetLockProperty {
                property: ObjectLockProperty::Retention,
                ..
            } => &[Action::GetObjectRetention],
            Self::GetLockProperty {
                property: ObjectLockProperty::LegalHold,
                ..
            } => &[Action::GetObjectLegalHold],
            Self::Put
            | Self::Copy { .. }
            | Self::CreateMultipartUpload
            | Self::UploadPart { .. }
            | Self::UploadPartCopy { .. }
            | Self::CompleteMultipartUpload { .. } => &[Action::PutObject],
            Self::AbortMultipartUpload { .. } => &[Action::AbortMultipartUpload],
            Self::ListParts { .. } => &[Action::ListMultipartUploadParts],
            Self::Preflight => &[],
        }
    }

    /// What a copy reads.
    pub const fn copy_source(&self) -> Option<&CopySource> {
        match self {
            Self::Copy { source } | Self::UploadPartCopy { source, .. } => Some(source),
            _ => None,
        }
    }
}

fn version(head: &RequestHead<'_>) -> Result<Option<VersionId>, S3Error> {
    head.query.text("versionId")?.map(VersionId::parse).transpose()
}

fn part(head: &RequestHead<'_>) -> Result<Option<PartNumber>, S3Error> {
    head.query.text("partNumber")?.map(PartNumber::parse).transpose()
}

/// A part or a version cannot be written by `PUT`: who sends one of these parameters alone would get another object
/// than they mean.
fn put(head: &RequestHead<'_>) -> Result<ObjectOperation, S3Error> {
    for name in ["partNumber", "versionId"] {
        if head.query.contains(name) {
            return Err(S3Error::invalid_argument(
                "This operation does not accept a query-string.",
                "ResourceType",
                name,
            ));
        }
    }
    Ok(match CopySource::of(&head.headers)? {
        None => ObjectOperation::Put,
        Some(source) => ObjectOperation::Copy { source },
    })
}
