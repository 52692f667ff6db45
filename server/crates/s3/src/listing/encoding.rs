//! How keys stand in listings.

use std::borrow::Cow;

use crate::error::S3Error;
use crate::percent;
use crate::query::Query;

/// How keys stand in a listing: XML cannot hold every character that a key may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyEncoding {
    /// As they are.
    #[default]
    Raw,
    /// Percent-encoded, but for slashes.
    Url,
}

impl KeyEncoding {
    /// Reads `encoding-type`.
    ///
    /// # Errors
    /// `InvalidArgument` for anything but `url`.
    pub(super) fn of(query: &Query<'_>) -> Result<Self, S3Error> {
        match query.text("encoding-type")? {
            None | Some("") => Ok(Self::Raw),
            Some("url") => Ok(Self::Url),
            Some(other) => Err(S3Error::invalid_argument(
                "Invalid Encoding Method specified in Request",
                "encoding-type",
                other,
            )),
        }
    }

    /// A key or a part of one as it stands in the listing.
    pub fn of_text(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Raw => Cow::Borrowed(text),
            Self::Url => Cow::Owned(percent::encode_path(text.as_bytes())),
        }
    }
}
