//! The S3 wire protocol, without input or output.
//!
//! What a server does with a request, in this order:
//!
//! 1. [`RequestHead::new`] takes the head as it came: path and query undecoded, every header, over HTTP/2 with `host`.
//!    A method that [`Method::parse`] does not know is `MethodNotAllowed`.
//! 2. [`Operation::of`] says what is asked for, with typed bucket, key, version, upload and part, and refuses headers
//!    that ask for what is not done. Its error is kept until the client is known.
//! 3. [`sigv4::authenticate`] says who claims to have sent it; [`verify`](sigv4::SignedRequest::verify) with the
//!    secret gives a [`sigv4::Verified`] request. Only that, or an anonymous one, has a body to read:
//!    [`payload`](sigv4::Verified::payload) with [`Operation::body_rule`].
//! 4. Now the error of step 2 may be told. [`Operation::actions`] has to be allowed, and for copies
//!    [`CopySource::action`](operation::CopySource::action) on what is read;
//!    [`headers::check_expected_owner`] compares owners.
//! 5. What else the operation takes: [`listing`] reads the parameters of lists, [`conditions`] what must hold,
//!    [`tags`] the header `x-amz-tagging`, [`headers`] metadata, ranges, copies and all else,
//!    [`checksum::ExpectedDigests`] what is promised of the body. `CompleteMultipartUpload` promises something of the
//!    object instead: [`headers::CompletionChecksum`].
//! 6. Only now may `100 Continue` be sent. [`Operation::body`] says what the body is. Content goes through a
//!    [`payload::ChunkDecoder`] where it is chunked, and through [`checksum::RunningMd5`] and
//!    [`checksum::RunningChecksum`]; a document is collected up to [`xml::MAX_DOCUMENT_BYTES`] and read by [`xml`].
//!    Nothing commits before the decoder's [`finish`](payload::ChunkDecoder::finish) and
//!    [`verify`](checksum::ExpectedDigests::verify).
//! 7. The answer is written by [`xml`]; an error by [`xml::error`], with the [`status`](S3Error::status) of its code.
//!    An answer that takes long begins with [`xml::DECLARATION`] and white space, and continues with what follows the
//!    declaration in its document.
//!
//! Every error is an [`S3Error`] out of one table. Nothing here knows the server, its
//! storage or its configuration; time and secrets are passed in.

pub mod access_key;
pub mod checksum;
pub mod conditions;
pub mod error;
mod head;
pub mod headers;
mod hex;
pub mod listing;
pub mod names;
pub mod operation;
pub mod payload;
mod percent;
mod query;
pub mod sigv4;
pub mod tags;
mod time;
pub mod xml;

pub use error::{ErrorCode, S3Error};
pub use head::{Headers, Method, RequestHead};
pub use operation::Operation;
pub use query::Query;
pub use time::{http_date, iso8601, parse_http_date};
