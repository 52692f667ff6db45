//! Manifests and the tags that point to them.

use bytes::Bytes;
use zas_core::{Digest, MediaType, Timestamp};

use super::{Row, Unknown, Writer, fields};

/// A manifest without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManifestRow {
    /// The media type it was pushed with.
    pub(crate) media_type: MediaType,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// When its holder got it.
    pub(crate) created_at: Timestamp,
    /// Who pushed it; empty for anonymous.
    pub(crate) actor: String,
    /// The digests it wrote edges for: removal uses them and never parses the manifest again.
    pub(crate) edges: Vec<Digest>,
    /// Its entry as a referrer: the subject and the artifact type.
    pub(crate) referral: Option<(Digest, String)>,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for ManifestRow {
    const NAME: &'static str = "manifest";

    fn encode(&self) -> Bytes {
        Writer::new()
            .text(1, self.media_type.as_str())
            .number(2, self.size)
            .time(3, self.created_at)
            .text(4, &self.actor)
            .each(&self.edges, |writer, digest| writer.digest(5, digest))
            .optional(self.referral.as_ref(), |writer, (subject, kind)| {
                writer.digest(6, subject).text(7, kind)
            })
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut media_type, mut size, mut created_at) = (None, None, None);
        let mut unknown = Unknown::default();
        let (mut actor, mut edges, mut subject, mut artifact_type) =
            (String::new(), Vec::new(), None, String::new());
        for field in fields(stored)? {
            match field.tag {
                1 => media_type = Some(field.parsed()?),
                2 => size = Some(field.number()?),
                3 => created_at = Some(field.time()?),
                4 => actor = field.text()?.to_owned(),
                5 => edges.push(field.digest()?),
                6 => subject = Some(field.digest()?),
                7 => artifact_type = field.text()?.to_owned(),
                _ => unknown.keep(field),
            }
        }
        let referral = subject.map(|subject| (subject, artifact_type));
        Some(Self {
            media_type: media_type?,
            size: size?,
            created_at: created_at?,
            actor,
            edges,
            referral,
            unknown,
        })
    }
}

/// The bytes of a manifest, with what a pull says about them: one read answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BodyRow {
    /// The manifest.
    pub(crate) body: Bytes,
    /// As in its [`ManifestRow`]. Rows written by 0.2.0 do not have it; the next push of the manifest adds it.
    /// (0.2.0 leaves it as it is when, after a roll-back, the same bytes are pushed under another type.)
    pub(crate) media_type: Option<MediaType>,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for BodyRow {
    const NAME: &'static str = "body";

    fn encode(&self) -> Bytes {
        Writer::new()
            .bytes(1, &self.body)
            .optional(self.media_type.as_ref(), |writer, media_type| {
                writer.text(2, media_type.as_str())
            })
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut body, mut media_type, mut unknown) = (None, None, Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => body = Some(field.value),
                2 => media_type = Some(field.parsed()?),
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            body: body?,
            media_type,
            unknown,
        })
    }
}

/// Where a tag points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagRow {
    /// The manifest.
    pub(crate) digest: Digest,
    /// Since when.
    pub(crate) pointed_at: Timestamp,
    /// Who wrote it; empty for anonymous.
    pub(crate) actor: String,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for TagRow {
    const NAME: &'static str = "tag";

    fn encode(&self) -> Bytes {
        Writer::new()
            .digest(1, &self.digest)
            .time(2, self.pointed_at)
            .text(3, &self.actor)
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut digest, mut pointed_at, mut actor) = (None, None, String::new());
        let mut unknown = Unknown::default();
        for field in fields(stored)? {
            match field.tag {
                1 => digest = Some(field.digest()?),
                2 => pointed_at = Some(field.time()?),
                3 => actor = field.text()?.to_owned(),
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            digest: digest?,
            pointed_at: pointed_at?,
            actor,
            unknown,
        })
    }
}
