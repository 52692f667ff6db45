//! Access keys.

use bytes::Bytes;
use zas_core::Timestamp;

use super::{Row, Unknown, Writer, fields};
use crate::Owner;

/// An access key, kept under its id and, as a copy, under its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessKeyRow {
    /// Whose key it is.
    pub(crate) owner: Owner,
    /// What its secret is derived from.
    pub(crate) kid: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// From when on it is worth nothing.
    pub(crate) expires_at: Option<Timestamp>,
    /// What it is for.
    pub(crate) description: String,
    /// When it was revoked.
    pub(crate) revoked_at: Option<Timestamp>,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for AccessKeyRow {
    const NAME: &'static str = "access key";

    fn encode(&self) -> Bytes {
        Writer::new()
            .text(1, &self.owner.issuer)
            .text(2, &self.owner.subject)
            .text(3, &self.kid)
            .time(4, self.created_at)
            .optional(self.expires_at, |writer, at| writer.time(5, at))
            .text(6, &self.description)
            .optional(self.revoked_at, |writer, at| writer.time(7, at))
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut owner, mut kid, mut description) = (Owner::default(), None, String::new());
        let (mut created_at, mut expires_at, mut revoked_at) = (None, None, None);
        let mut unknown = Unknown::default();
        for field in fields(stored)? {
            match field.tag {
                1 => owner.issuer = field.string()?,
                2 => owner.subject = field.string()?,
                3 => kid = Some(field.string()?),
                4 => created_at = Some(field.time()?),
                5 => expires_at = Some(field.time()?),
                6 => description = field.string()?,
                7 => revoked_at = Some(field.time()?),
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            owner,
            kid: kid?,
            created_at: created_at?,
            expires_at,
            description,
            revoked_at,
            unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_access_key_when_stored_then_read_back_with_fields_of_a_newer_version() {
        let row = AccessKeyRow {
            owner: Owner {
                issuer: "local".to_owned(),
                subject: "alice".to_owned(),
            },
            kid: "k1".to_owned(),
            created_at: Timestamp::from_millis(7),
            expires_at: Some(Timestamp::from_millis(9)),
            description: "laptop".to_owned(),
            revoked_at: Some(Timestamp::from_millis(8)),
            unknown: Unknown(vec![(200, Bytes::from_static(b"later"))]),
        };
        assert_eq!(AccessKeyRow::decode(&row.encode()), Some(row.clone()));
        let valid = AccessKeyRow {
            expires_at: None,
            revoked_at: None,
            ..row
        };
        assert_eq!(AccessKeyRow::decode(&valid.encode()), Some(valid));
    }
}
