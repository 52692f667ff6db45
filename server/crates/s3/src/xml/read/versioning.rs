//! The body of `PutBucketVersioning`.

use super::elements::{Elements, malformed, once};
use crate::error::{ErrorCode, S3Error};

/// Whether versions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersioningStatus {
    /// Every write makes a version.
    Enabled,
    /// Writes replace the version `null`; others are kept.
    Suspended,
}

impl VersioningStatus {
    /// The name in XML.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }
}

/// Reads the document.
///
/// # Errors
/// `MalformedXML`; `IllegalVersioningConfigurationException` without a status; `NotImplemented` for MFA delete.
pub fn read_versioning(document: &[u8]) -> Result<VersioningStatus, S3Error> {
    let mut elements = Elements::open(document, "VersioningConfiguration")?;
    let (mut status, mut mfa_delete) = (None, None);
    while let Some(name) = elements.next(&["Status", "MfaDelete"])? {
        let place = if name == "Status" {
            &mut status
        } else {
            &mut mfa_delete
        };
        once(place, elements.trimmed()?)?;
    }
    elements.finish()?;
    match mfa_delete.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled") => return Err(S3Error::operation_not_implemented("MFA delete")),
        Some(_) => return Err(malformed()),
    }
    match status.as_deref() {
        Some("Enabled") => Ok(VersioningStatus::Enabled),
        Some("Suspended") => Ok(VersioningStatus::Suspended),
        Some(_) => Err(malformed()),
        None => Err(ErrorCode::IllegalVersioningConfigurationException.into()),
    }
}
