//! Rows that are bytes for somebody else, and rows that only are there.

use bytes::Bytes;

use super::{Row, Writer, fields};

/// The bytes of an inline blob or of a referrer's descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payload(pub(crate) Bytes);

impl Row for Payload {
    const NAME: &'static str = "payload";

    fn encode(&self) -> Bytes {
        Writer::new().bytes(1, &self.0).finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        fields(stored)?
            .into_iter()
            .find(|field| field.tag == 1)
            .map(|field| Self(field.value))
    }
}

/// A row whose key says it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EmptyRow;

impl Row for EmptyRow {
    const NAME: &'static str = "marker";

    fn encode(&self) -> Bytes {
        Writer::new().finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        fields(stored).map(|_| Self)
    }
}
