//! What listings are asked with, and where they continue.
//!
//! Parameters are read leniently where AWS is lenient (more than the most is the most, an empty delimiter is none)
//! and refused where a page would be wrong without anybody noticing.

mod encoding;
mod markers;
mod number;
mod parameters;
mod position;

pub use encoding::KeyEncoding;
pub use parameters::{
    ListBucketsParameters, ListMultipartUploadsParameters, ListObjectVersionsParameters,
    ListObjectsParameters, ListObjectsV2Parameters, ListPartsParameters,
};
pub use position::{ContinuationToken, ListPosition};

#[cfg(test)]
mod tests;
