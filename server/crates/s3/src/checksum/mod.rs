//! Checksums of content (user guide, "Checking object integrity in Amazon S3").

mod algorithm;
mod expected;
mod md5;
mod object;
mod running;
mod state;
mod value;

pub use algorithm::{ChecksumAlgorithm, ChecksumType};
pub use expected::{ExpectedChecksum, ExpectedDigests};
pub use md5::{RunningMd5, multipart_etag};
pub use object::{ObjectChecksum, PartChecksum};
pub use running::RunningChecksum;
pub use state::{ChecksumState, ChecksumStateCorrupt};
pub use value::Checksum;

#[cfg(test)]
mod tests;
