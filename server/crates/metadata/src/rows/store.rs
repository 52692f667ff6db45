//! Which store the rows belong to, and how often it was started.

use bytes::Bytes;
use zas_core::StoreId;

use super::{Row, Writer, fields};

/// The identity of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreRow(pub(crate) StoreId);

impl Row for StoreRow {
    const NAME: &'static str = "store";

    fn encode(&self) -> Bytes {
        Writer::new().text(1, &self.0.to_string()).finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let field = fields(stored)?.into_iter().find(|field| field.tag == 1)?;
        field.parsed().map(Self)
    }
}

/// How often the store was opened and claims were made in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StartRow(pub(crate) u64);

impl Row for StartRow {
    const NAME: &'static str = "start";

    fn encode(&self) -> Bytes {
        Writer::new().number(1, self.0).finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let field = fields(stored)?.into_iter().find(|field| field.tag == 1)?;
        field.number().map(Self)
    }
}
