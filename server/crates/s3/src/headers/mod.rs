//! What headers say beside signature, conditions and checksums of the body.

mod acl;
mod attributes;
mod checksum;
mod copy;
mod metadata;
mod overrides;
mod owner;
mod range;
mod rfc2047;
mod storage_class;

pub use acl::{check_acl, check_put_acl};
pub use attributes::{AttributesRequest, ObjectAttribute};
pub use checksum::{CompletionChecksum, RequestedChecksum, checksum_headers, wants_checksum};
pub use copy::{Directive, check_self_copy, copy_source_range};
pub use metadata::ObjectHeaders;
pub use overrides::ResponseOverrides;
pub use owner::{check_expected_owner, check_expected_source_owner};
pub use range::requested_range;
pub use storage_class::{STANDARD, check_storage_class};
