//! Which store the rows belong to.

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
