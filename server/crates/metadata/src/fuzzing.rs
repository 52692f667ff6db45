//! What is stored, decoded from any bytes. For the fuzz targets alone: rows and keys are nobody else's business.

use bytes::Bytes;

use crate::keys::{self, Elements};
use crate::ordered_map::Key;
use crate::rows::{
    BlobRow, BodyRow, EmptyRow, LinkRow, LocationRow, ManifestRow, Payload, RepositoryRow, Row, TagRow,
    UploadRow,
};

/// What became of bytes that were taken for something stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// They are nothing of that kind.
    Refused,
    /// They are one of this kind.
    Read {
        /// The kind.
        kind: &'static str,
        /// Whether the value, stored again, is read as the same value; a key must even have the same bytes.
        reads_back: bool,
    },
}

/// Kinds of rows and keys: the first byte of the data chooses one, modulo this.
pub const KINDS: u8 = 24;

/// Takes everything behind the first byte for the kind of row or key that the first byte names.
pub fn decode_any(data: &[u8]) -> Decoded {
    let Some((kind, stored)) = data.split_first() else {
        return Decoded::Refused;
    };
    match kind % KINDS {
        0 => row::<RepositoryRow>(stored),
        1 => row::<ManifestRow>(stored),
        2 => row::<TagRow>(stored),
        3 => row::<LinkRow>(stored),
        4 => row::<BlobRow>(stored),
        5 => row::<LocationRow>(stored),
        6 => row::<UploadRow>(stored),
        7 => row::<Payload>(stored),
        8 => row::<EmptyRow>(stored),
        // The other numbers are in the corpus.
        23 => row::<BodyRow>(stored),
        other => key(other, stored),
    }
}

fn row<T: Row + PartialEq>(stored: &[u8]) -> Decoded {
    let Some(row) = T::decode(&Bytes::copy_from_slice(stored)) else {
        return Decoded::Refused;
    };
    Decoded::Read {
        kind: T::NAME,
        reads_back: T::decode(&row.encode()).as_ref() == Some(&row),
    }
}

/// A key is read by its elements; the table byte in front is not looked at, as in the store.
fn key(kind: u8, stored: &[u8]) -> Decoded {
    let Some((name, key)) = read_key(kind, stored) else {
        return Decoded::Refused;
    };
    let read = key.bytes.get(1..).unwrap_or_default();
    Decoded::Read {
        kind: name,
        reads_back: stored.get(1..).unwrap_or_default().starts_with(read),
    }
}

fn read_key(kind: u8, stored: &[u8]) -> Option<(&'static str, Key)> {
    let mut elements = Elements::of(stored);
    Some(match kind {
        9 => ("repository key", keys::repository(&elements.repository()?)),
        10 => (
            "manifest key",
            keys::manifest(&elements.holder()?, &elements.digest()?),
        ),
        11 => ("body key", keys::body(&elements.holder()?, &elements.digest()?)),
        12 => ("tag key", keys::tag(&elements.holder()?, &elements.tag()?)),
        13 => (
            "tag-of key",
            keys::tag_of(&elements.holder()?, &elements.digest()?, &elements.tag()?),
        ),
        14 => (
            "referrer key",
            keys::referrer(
                &elements.holder()?,
                &elements.digest()?,
                &elements.text()?,
                &elements.digest()?,
            ),
        ),
        15 => ("link key", keys::link(&elements.digest()?, &elements.holder()?)),
        16 => (
            "edge key",
            keys::edge(&elements.digest()?, &elements.holder()?, &elements.edge_owner()?),
        ),
        17 => ("blob key", keys::blob(&elements.digest()?)),
        18 => ("blob data key", keys::blob_data(&elements.digest()?)),
        19 => ("location key", keys::location(elements.name()?)),
        20 => ("upload key", keys::upload(elements.id()?)),
        21 => (
            "due key",
            keys::due(elements.time()?, &elements.holder()?, &elements.digest()?),
        ),
        _ => ("doomed key", keys::doomed(elements.time()?, elements.name()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_stored_row_and_a_stored_key_when_decoded_then_told_and_read_back() {
        let row = [&[7][..], &Payload(Bytes::from_static(b"x")).encode()].concat();
        let read = |kind| Decoded::Read {
            kind,
            reads_back: true,
        };
        assert_eq!(decode_any(&row), read("payload"));
        let key = keys::repository(&"a/b".parse().unwrap());
        assert_eq!(
            decode_any(&[&[9][..], &key.bytes].concat()),
            read("repository key")
        );
        assert_eq!(decode_any(&[9, 0x10, b'a']), Decoded::Refused);
        assert_eq!(decode_any(&[]), Decoded::Refused);
    }
}
