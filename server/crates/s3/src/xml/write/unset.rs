//! What is answered for settings that nobody can change.

use super::writer::{Owner, XmlWriter};
use crate::operation::BucketConfiguration;

/// The document of a configuration that is never set; `None` where
/// [`BucketConfiguration::not_set`] is the answer.
pub fn unset_configuration(configuration: BucketConfiguration) -> Option<String> {
    match configuration {
        BucketConfiguration::Accelerate => Some(XmlWriter::document("AccelerateConfiguration", |_| {})),
        BucketConfiguration::Logging => Some(XmlWriter::document("BucketLoggingStatus", |_| {})),
        BucketConfiguration::Notification => Some(XmlWriter::document("NotificationConfiguration", |_| {})),
        BucketConfiguration::OwnershipControls => Some(XmlWriter::document("OwnershipControls", |xml| {
            xml.nested("Rule", |xml| xml.text("ObjectOwnership", "BucketOwnerEnforced"));
        })),
        BucketConfiguration::RequestPayment => {
            Some(XmlWriter::document("RequestPaymentConfiguration", |xml| {
                xml.text("Payer", "BucketOwner");
            }))
        }
        _ => None,
    }
}

/// `GetBucketAcl` and `GetObjectAcl`: the owner may do everything, and no ACL says more.
pub fn owner_acl(owner: Owner<'_>) -> String {
    const GRANTEE: &str =
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"";
    XmlWriter::document("AccessControlPolicy", |xml| {
        xml.owner("Owner", owner);
        xml.nested("AccessControlList", |xml| {
            xml.nested("Grant", |xml| {
                xml.with_attributes("Grantee", GRANTEE, |xml| {
                    xml.text("ID", owner.id);
                    xml.text("DisplayName", owner.display_name);
                });
                xml.text("Permission", "FULL_CONTROL");
            });
        });
    })
}
