//! Repositories that have manifests.

use bytes::Bytes;
use zas_core::Timestamp;

use super::{Row, Writer, fields};

/// A repository with at least one manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RepositoryRow {
    /// When it got its first manifest.
    pub(crate) created_at: Timestamp,
}

impl Row for RepositoryRow {
    const NAME: &'static str = "repository";

    fn encode(&self) -> Bytes {
        Writer::new().time(1, self.created_at).finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let created_at = fields(stored)?.into_iter().find(|field| field.tag == 1)?.time()?;
        Some(Self { created_at })
    }
}
