//! Operations on buckets.

use super::action::Action;
use super::never_set::BucketConfiguration;
use super::{Body, not_allowed, sub_resource};
use crate::error::S3Error;
use crate::head::{Method, RequestHead};

/// An operation on a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketOperation {
    /// `CreateBucket`
    Create,
    /// `HeadBucket`
    Head,
    /// `DeleteBucket`
    Delete,
    /// `GetBucketLocation`
    GetLocation,
    /// `ListObjects`, version 1
    ListObjects,
    /// `ListObjectsV2`
    ListObjectsV2,
    /// `ListObjectVersions`
    ListObjectVersions,
    /// `ListMultipartUploads`
    ListMultipartUploads,
    /// `DeleteObjects`
    DeleteObjects,
    /// `GetBucketTagging`
    GetTagging,
    /// `PutBucketTagging`
    PutTagging,
    /// `DeleteBucketTagging`
    DeleteTagging,
    /// `GetBucketVersioning`
    GetVersioning,
    /// `PutBucketVersioning`
    PutVersioning,
    /// `GetBucketAcl`: the owner's `FULL_CONTROL`
    GetAcl,
    /// `PutBucketAcl`: changes nothing ([`check_put_acl`](crate::headers::check_put_acl))
    PutAcl,
    /// Reads a configuration that is never set.
    GetConfiguration(BucketConfiguration),
    /// Deletes a configuration that is never set: 204, and nothing changes.
    DeleteConfiguration(BucketConfiguration),
    /// What a page of another origin may do. Without a CORS configuration: `AccessForbidden`.
    Preflight,
}

impl BucketOperation {
    pub(super) fn of(head: &RequestHead<'_>) -> Result<Self, S3Error> {
        let sub_resource = sub_resource::of(&head.query)?;
        match (head.method, sub_resource) {
            (Method::Head, _) => Ok(Self::Head),
            (Method::Options, _) => Ok(Self::Preflight),
            (Method::Get, None) => list(head),
            (Method::Get, Some(name)) => Self::get(head, name),
            (Method::Put, None) => Ok(Self::Create),
            (Method::Put, Some("tagging")) => Ok(Self::PutTagging),
            (Method::Put, Some("versioning")) => Ok(Self::PutVersioning),
            (Method::Put, Some("acl")) => Ok(Self::PutAcl),
            (Method::Delete, None) => Ok(Self::Delete),
            (Method::Delete, Some("tagging")) => Ok(Self::DeleteTagging),
            (Method::Delete, Some(name)) => Self::delete(name),
            (Method::Post, Some("delete")) => Ok(Self::DeleteObjects),
            (Method::Post, None) => post(head),
            (method, Some(name)) => Err(sub_resource::refuse_on_bucket(method, name)),
        }
    }

    fn get(head: &RequestHead<'_>, name: &str) -> Result<Self, S3Error> {
        match name {
            "location" => Ok(Self::GetLocation),
            "versions" => Ok(Self::ListObjectVersions),
            "uploads" => Ok(Self::ListMultipartUploads),
            "tagging" => Ok(Self::GetTagging),
            "versioning" => Ok(Self::GetVersioning),
            "acl" => Ok(Self::GetAcl),
            _ => {
                let configuration = BucketConfiguration::of(name)
                    .ok_or_else(|| sub_resource::refuse_on_bucket(Method::Get, name))?;
                match configuration.list_name(&head.query) {
                    None => Ok(Self::GetConfiguration(configuration)),
                    Some(list) => Err(S3Error::operation_not_implemented(list)),
                }
            }
        }
    }

    fn delete(name: &str) -> Result<Self, S3Error> {
        let configuration =
            BucketConfiguration::of(name).filter(|configuration| configuration.delete().is_some());
        configuration
            .map(Self::DeleteConfiguration)
            .ok_or_else(|| sub_resource::refuse_on_bucket(Method::Delete, name))
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "CreateBucket",
            Self::Head => "HeadBucket",
            Self::Delete => "DeleteBucket",
            Self::GetLocation => "GetBucketLocation",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::ListObjectVersions => "ListObjectVersions",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::DeleteObjects => "DeleteObjects",
            Self::GetTagging => "GetBucketTagging",
            Self::PutTagging => "PutBucketTagging",
            Self::DeleteTagging => "DeleteBucketTagging",
            Self::GetVersioning => "GetBucketVersioning",
            Self::PutVersioning => "PutBucketVersioning",
            Self::GetAcl => "GetBucketAcl",
            Self::PutAcl => "PutBucketAcl",
            Self::GetConfiguration(configuration) => configuration.get_name(),
            Self::DeleteConfiguration(configuration) => match configuration.delete() {
                Some((name, _)) => name,
                None => "DeleteBucketConfiguration",
            },
            Self::Preflight => "PreflightRequest",
        }
    }

    pub(super) const fn body(self) -> Body {
        match self {
            Self::DeleteObjects => Body::ProvenDocument,
            Self::Create | Self::PutTagging | Self::PutVersioning | Self::PutAcl => Body::Document,
            _ => Body::None,
        }
    }

    pub(super) const fn actions(self) -> &'static [Action] {
        match self {
            Self::Create => &[Action::CreateBucket],
            Self::Delete => &[Action::DeleteBucket],
            Self::GetLocation => &[Action::GetBucketLocation],
            Self::Head | Self::ListObjects | Self::ListObjectsV2 => &[Action::ListBucket],
            Self::ListObjectVersions => &[Action::ListBucketVersions],
            Self::ListMultipartUploads => &[Action::ListBucketMultipartUploads],
            Self::DeleteObjects | Self::Preflight => &[],
            Self::GetTagging => &[Action::GetBucketTagging],
            Self::PutTagging | Self::DeleteTagging => &[Action::PutBucketTagging],
            Self::GetVersioning => &[Action::GetBucketVersioning],
            Self::PutVersioning => &[Action::PutBucketVersioning],
            Self::GetAcl => &[Action::GetBucketAcl],
            Self::PutAcl => &[Action::PutBucketAcl],
            Self::GetConfiguration(configuration) => configuration.get_actions(),
            Self::DeleteConfiguration(configuration) => match configuration.delete() {
                Some((_, actions)) => actions,
                None => &[],
            },
        }
    }
}

fn list(head: &RequestHead<'_>) -> Result<BucketOperation, S3Error> {
    match head.query.text("list-type")? {
        None | Some("" | "1") => Ok(BucketOperation::ListObjects),
        Some("2") => Ok(BucketOperation::ListObjectsV2),
        Some(other) => Err(S3Error::invalid_argument(
            "Invalid List Type specified in Request",
            "list-type",
            other,
        )),
    }
}

/// A browser's form is the only `POST` on a bare bucket.
fn post(head: &RequestHead<'_>) -> Result<BucketOperation, S3Error> {
    let content_type = head.headers.text("content-type")?.unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("multipart/form-data") {
        return Err(S3Error::operation_not_implemented("PostObject"));
    }
    Err(not_allowed(Method::Post, "BUCKET"))
}
