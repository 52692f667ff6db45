//! Where a listing continues.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::S3Error;
use crate::names::MAX_KEY_BYTES;

/// Where a listing continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListPosition {
    /// Behind this text in byte order, which need not be a key.
    Key(String),
    /// Behind every key that begins with this.
    Prefix(String),
}

impl ListPosition {
    /// Behind a marker that a client names. A common prefix that was shown is named by itself, and must not be shown
    /// again on account of the keys that it stands for.
    pub(super) fn behind(marker: &str, prefix: &str, delimiter: Option<&str>) -> Self {
        let is_common_prefix = delimiter
            .zip(marker.strip_prefix(prefix))
            .is_some_and(|(delimiter, rest)| {
                rest.find(delimiter)
                    .is_some_and(|place| place + delimiter.len() == rest.len())
            });
        if is_common_prefix {
            return Self::Prefix(marker.to_owned());
        }
        Self::Key(marker.to_owned())
    }

    /// What a client names to continue here.
    pub fn marker(&self) -> &str {
        match self {
            Self::Key(text) | Self::Prefix(text) => text,
        }
    }
}

/// The opaque form of a position. It holds what its client has just seen, and grants nothing: whoever sends it is
/// asked for the right to list again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContinuationToken(ListPosition);

/// The first byte, so that other forms may follow.
const KEY: u8 = b'1';
const PREFIX: u8 = b'2';

impl ContinuationToken {
    /// Of a position.
    pub const fn new(position: ListPosition) -> Self {
        Self(position)
    }

    /// Reads the parameter `continuation-token`.
    ///
    /// # Errors
    /// `InvalidArgument` for what this server did not give.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        Self::decode(text).ok_or_else(|| {
            S3Error::invalid_argument(
                "The continuation token provided is incorrect",
                "continuation-token",
                text,
            )
        })
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (kind, name) = bytes.split_first()?;
        let name = std::str::from_utf8(name).ok()?;
        let is_name = (1..=MAX_KEY_BYTES).contains(&name.len());
        match *kind {
            KEY if is_name => Some(Self(ListPosition::Key(name.to_owned()))),
            PREFIX if is_name => Some(Self(ListPosition::Prefix(name.to_owned()))),
            _ => None,
        }
    }

    /// The form on the wire.
    pub fn text(&self) -> String {
        let kind = match self.0 {
            ListPosition::Key(_) => KEY,
            ListPosition::Prefix(_) => PREFIX,
        };
        let name = self.0.marker().as_bytes();
        URL_SAFE_NO_PAD.encode([&[kind], name].concat())
    }

    /// Where to continue.
    pub const fn position(&self) -> &ListPosition {
        &self.0
    }
}
