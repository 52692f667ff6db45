//! Conditional requests (RFC 9110, section 13; user guide, "Add preconditions to S3 operations").

mod etag_match;
mod read;
mod write;

pub use etag_match::ETagMatch;
pub use read::ReadConditions;
pub use write::{DeleteCondition, WriteCondition};
