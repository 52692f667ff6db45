//! Manifests and indexes, read for what the registry must know (image-spec, manifest.md and image-index.md).

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Deserializer};

use crate::{Descriptor, Digest, MediaType};

/// What the registry knows of a manifest. The bytes themselves are stored as pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The media type it is stored and served under.
    pub media_type: MediaType,
    /// Whether it lists layers or other manifests.
    pub kind: ManifestKind,
    /// Everything it refers to, each digest once, in the order of first mention. The subject is not among them.
    pub references: Vec<ManifestReference>,
    /// The manifest that this one refers to as its subject.
    pub subject: Option<Digest>,
    /// The artifact type shown by the referrers API: its own, or an image's config media type.
    pub artifact_type: Option<String>,
    /// The annotations, shown by the referrers API.
    pub annotations: BTreeMap<String, String>,
}

/// The two shapes of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestKind {
    /// A config and layers.
    Image,
    /// A list of manifests.
    Index,
}

/// One digest that a manifest refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestReference {
    /// The content referred to.
    pub digest: Digest,
    /// Its length as the manifest states it.
    pub size: u64,
    /// The part it plays.
    pub role: ReferenceRole,
    /// Whether the registry may lack it by design (non-distributable layers).
    pub may_be_absent: bool,
    /// Whether its media type says that it is a manifest itself.
    pub is_manifest: bool,
}

/// The part that a reference plays in its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceRole {
    /// The config of an image.
    Config,
    /// A layer of an image.
    Layer,
    /// An entry of an index. Usually a manifest; build caches name layers here.
    Child,
}

/// Why bytes are no manifest that this registry stores.
#[derive(Debug, thiserror::Error)]
pub enum InvalidManifest {
    /// The media type is no manifest's.
    #[error(
        "media type {0} is not a manifest: use an OCI image manifest or index, or a Docker schema 2 manifest or list"
    )]
    MediaType(String),
    /// The `mediaType` field contradicts the `Content-Type` header.
    #[error("the field mediaType is {field:?} but the header Content-Type is {header:?}")]
    MediaTypeMismatch {
        /// What the manifest says.
        field: String,
        /// What the request says.
        header: String,
    },
    /// The bytes are no text.
    #[error("the manifest is not valid: it is not UTF-8 from byte {0} on")]
    Encoding(usize),
    /// The JSON cannot be read as a manifest.
    #[error("the manifest is not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// A field that the specification requires is missing or has a wrong value.
    #[error("the manifest is not valid: {0}")]
    Field(&'static str),
    /// The manifest mixes the fields of an image and of an index.
    #[error("the manifest mixes the fields of an image (config, layers) and of an index (manifests)")]
    Ambiguous,
    /// The manifest refers to too much.
    #[error("the manifest has {found} references, at most {limit} are allowed")]
    TooManyReferences {
        /// How many it has.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Entry>,
    #[serde(default, deserialize_with = "null_or_list")]
    layers: List,
    #[serde(default, deserialize_with = "null_or_list")]
    manifests: List,
    subject: Option<Entry>,
    annotations: Option<BTreeMap<String, String>>,
}

/// A field that lists descriptors. Old tools write null where the list is empty, in the other kind's field too.
#[derive(Default)]
enum List {
    #[default]
    Absent,
    Null,
    Entries(Vec<Entry>),
}

impl List {
    fn entries(&self) -> &[Entry] {
        match self {
            Self::Absent | Self::Null => &[],
            Self::Entries(entries) => entries,
        }
    }

    const fn is_list(&self) -> bool {
        matches!(self, Self::Entries(_))
    }
}

fn null_or_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<List, D::Error> {
    let entries = Option::<Vec<Entry>>::deserialize(deserializer)?;
    Ok(entries.map_or(List::Null, List::Entries))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: Digest,
    size: u64,
}

impl Manifest {
    /// Reads a manifest pushed with the media type `header`; without one, the field `mediaType` decides.
    /// Unknown fields are kept in the stored bytes and ignored here.
    ///
    /// # Errors
    /// [`InvalidManifest`] says what to change. `limit` bounds the number of distinct references.
    pub fn parse(bytes: &[u8], header: Option<&MediaType>, limit: usize) -> Result<Self, InvalidManifest> {
        // The reader of JSON skips what it has no use for without looking at its encoding.
        let text =
            std::str::from_utf8(bytes).map_err(|error| InvalidManifest::Encoding(error.valid_up_to()))?;
        let document: Document = serde_json::from_str(text)?;
        if document.schema_version != Some(2) {
            return Err(InvalidManifest::Field("schemaVersion must be 2"));
        }
        let media_type = media_type(&document, header)?;
        let kind = kind(&media_type)?;
        let config_media_type = document.config.as_ref().map(|config| config.media_type.clone());
        let subject = document.subject.as_ref().map(|subject| subject.digest);
        let references = references(&document, kind, limit)?;
        let artifact_type = document
            .artifact_type
            .filter(|own| !own.is_empty())
            .or(match kind {
                ManifestKind::Image => config_media_type,
                ManifestKind::Index => None,
            });
        if artifact_type.as_ref().is_some_and(|own| own.len() > 255) {
            return Err(InvalidManifest::Field("artifactType must have at most 255 bytes"));
        }
        let annotations = document.annotations.unwrap_or_default();
        Ok(Self {
            media_type,
            kind,
            references,
            subject,
            artifact_type,
            annotations,
        })
    }

    /// The descriptor that the referrers API shows for this manifest.
    pub fn descriptor(&self, digest: Digest, size: u64) -> Descriptor {
        Descriptor {
            media_type: self.media_type.clone(),
            digest,
            size,
            artifact_type: self.artifact_type.clone(),
            annotations: self.annotations.clone(),
        }
    }
}

fn media_type(document: &Document, header: Option<&MediaType>) -> Result<MediaType, InvalidManifest> {
    match (header, document.media_type.as_deref()) {
        (Some(header), Some(field)) if header.as_str() != field => Err(InvalidManifest::MediaTypeMismatch {
            field: field.to_owned(),
            header: header.to_string(),
        }),
        (Some(header), _) => Ok(header.clone()),
        (None, Some(field)) => field
            .parse()
            .map_err(|_| InvalidManifest::MediaType(field.to_owned())),
        (None, None) => Err(InvalidManifest::Field(
            "it has no mediaType and the request no Content-Type",
        )),
    }
}

fn kind(media_type: &MediaType) -> Result<ManifestKind, InvalidManifest> {
    match media_type.as_str() {
        MediaType::OCI_MANIFEST | MediaType::DOCKER_MANIFEST => Ok(ManifestKind::Image),
        MediaType::OCI_INDEX | MediaType::DOCKER_LIST => Ok(ManifestKind::Index),
        other => Err(InvalidManifest::MediaType(other.to_owned())),
    }
}

fn references(
    document: &Document,
    kind: ManifestKind,
    limit: usize,
) -> Result<Vec<ManifestReference>, InvalidManifest> {
    let has_image_fields = document.layers.is_list() || document.config.is_some();
    let is_mixed = match kind {
        ManifestKind::Image => document.manifests.is_list(),
        ManifestKind::Index => has_image_fields,
    };
    if is_mixed {
        return Err(InvalidManifest::Ambiguous);
    }
    let mut references = Vec::new();
    let mut seen = HashSet::new();
    for (role, entry) in entries(document, kind)? {
        if !seen.insert(entry.digest) {
            continue;
        }
        let media_type = MediaType::from_header(&entry.media_type).ok();
        references.push(ManifestReference {
            digest: entry.digest,
            size: entry.size,
            role,
            may_be_absent: media_type.as_ref().is_some_and(MediaType::is_non_distributable),
            is_manifest: media_type.as_ref().is_some_and(MediaType::is_manifest),
        });
    }
    if references.len() > limit {
        return Err(InvalidManifest::TooManyReferences {
            found: references.len(),
            limit,
        });
    }
    Ok(references)
}

type RoledEntry<'a> = (ReferenceRole, &'a Entry);

fn entries(document: &Document, kind: ManifestKind) -> Result<Vec<RoledEntry<'_>>, InvalidManifest> {
    match kind {
        ManifestKind::Index => {
            if matches!(document.manifests, List::Absent) {
                return Err(InvalidManifest::Field("an index needs the field manifests"));
            }
            let children = document.manifests.entries().iter();
            Ok(children.map(|child| (ReferenceRole::Child, child)).collect())
        }
        ManifestKind::Image => {
            let config = document
                .config
                .as_ref()
                .ok_or(InvalidManifest::Field("an image manifest needs the field config"))?;
            let layers = document.layers.entries().iter();
            let layers = layers.map(|layer| (ReferenceRole::Layer, layer));
            Ok(std::iter::once((ReferenceRole::Config, config))
                .chain(layers)
                .collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100;

    fn oci(text: &str) -> MediaType {
        text.parse().unwrap()
    }

    fn entry(content: &str, media_type: &str) -> String {
        let digest = Digest::sha256_of(content.as_bytes());
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}"#,
            content.len()
        )
    }

    fn image(layers: &[String], extra: &str) -> Vec<u8> {
        let config = entry("{}", "application/vnd.example.config+json");
        let layers = layers.join(",");
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layers}]{extra}}}"#).into_bytes()
    }

    #[test]
    fn given_an_image_when_parsed_then_references_keep_order_and_repeat_once() {
        let layer = entry("layer", "application/vnd.oci.image.layer.v1.tar");
        let bytes = image(&[layer.clone(), layer], "");

        let manifest = Manifest::parse(&bytes, Some(&oci(MediaType::OCI_MANIFEST)), LIMIT).unwrap();

        let roles: Vec<_> = manifest
            .references
            .iter()
            .map(|reference| reference.role)
            .collect();
        assert_eq!(roles, [ReferenceRole::Config, ReferenceRole::Layer]);
        assert_eq!(
            manifest.artifact_type.as_deref(),
            Some("application/vnd.example.config+json")
        );
    }

    #[test]
    fn given_a_subject_and_annotations_when_parsed_then_the_descriptor_carries_them() {
        let subject = entry("subject", MediaType::OCI_MANIFEST);
        let extra =
            format!(r#","subject":{subject},"artifactType":"a/b","annotations":{{"k":"v"}},"unknown":[1]"#);
        let bytes = image(&[], &extra);

        let manifest = Manifest::parse(&bytes, Some(&oci(MediaType::OCI_MANIFEST)), LIMIT).unwrap();

        assert_eq!(manifest.subject, Some(Digest::sha256_of(b"subject")));
        let descriptor = manifest.descriptor(Digest::sha256_of(&bytes), bytes.len() as u64);
        assert_eq!(descriptor.artifact_type.as_deref(), Some("a/b"));
        assert_eq!(descriptor.annotations.get("k").map(String::as_str), Some("v"));
    }

    #[test]
    fn given_an_index_without_an_artifact_type_when_parsed_then_none_is_invented() {
        let child = entry("child", MediaType::OCI_MANIFEST);
        let bytes = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{child}]}}"#,
            MediaType::OCI_INDEX
        );
        let manifest = Manifest::parse(bytes.as_bytes(), None, LIMIT).unwrap();
        assert_eq!(
            (manifest.kind, manifest.artifact_type),
            (ManifestKind::Index, None)
        );
    }

    #[test]
    fn given_a_foreign_layer_when_parsed_then_it_may_be_absent() {
        let layer = entry(
            "far away",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        );
        let manifest = Manifest::parse(
            &image(&[layer], ""),
            Some(&oci(MediaType::DOCKER_MANIFEST)),
            LIMIT,
        )
        .unwrap();
        assert_eq!(
            manifest.references.last().map(|layer| layer.may_be_absent),
            Some(true)
        );
    }

    #[test]
    fn given_lists_that_are_null_or_left_out_when_parsed_then_they_are_empty() {
        let config = entry("{}", "application/vnd.example.config+json");
        for (media_type, fields, count) in [
            (MediaType::OCI_MANIFEST, format!(r#""config":{config}"#), 1),
            (
                MediaType::OCI_MANIFEST,
                format!(r#""config":{config},"layers":null"#),
                1,
            ),
            (
                MediaType::DOCKER_MANIFEST,
                format!(r#""config":{config},"layers":null,"manifests":null"#),
                1,
            ),
            (MediaType::OCI_INDEX, r#""manifests":null"#.to_owned(), 0),
            (
                MediaType::DOCKER_LIST,
                r#""manifests":null,"layers":null,"config":null"#.to_owned(),
                0,
            ),
        ] {
            let bytes = format!(r#"{{"schemaVersion":2,{fields}}}"#);
            let manifest = Manifest::parse(bytes.as_bytes(), Some(&oci(media_type)), LIMIT);
            let found = manifest
                .unwrap_or_else(|error| panic!("{bytes}: {error}"))
                .references;
            assert_eq!(found.len(), count, "{bytes}");
        }
    }

    #[test]
    fn given_a_child_when_parsed_then_its_type_says_whether_it_is_a_manifest() {
        let children = [
            entry("a", MediaType::OCI_MANIFEST),
            entry("b", "application/vnd.buildkit.cacheconfig.v0"),
        ];
        let bytes = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, children.join(","));
        let index = Manifest::parse(bytes.as_bytes(), Some(&oci(MediaType::OCI_INDEX)), LIMIT).unwrap();
        let kinds: Vec<_> = index.references.iter().map(|child| child.is_manifest).collect();
        assert_eq!(kinds, [true, false]);
    }

    #[test]
    fn given_bytes_that_are_no_text_when_parsed_then_refused_wherever_they_stand() {
        for extra in [
            &b",\"note\":\"\xff\""[..],
            b",\"note\":{\"deep\":[\"\xc3\"]}",
            b",\"annotations\":{\"a\":\"\xff\"}",
        ] {
            let mut bytes = image(&[], "");
            bytes.pop();
            bytes.extend_from_slice(extra);
            bytes.push(b'}');
            let parsed = Manifest::parse(&bytes, Some(&oci(MediaType::OCI_MANIFEST)), LIMIT);
            assert!(matches!(parsed, Err(InvalidManifest::Encoding(_))), "{parsed:?}");
        }
    }

    #[test]
    fn given_wrong_manifests_when_parsed_then_each_is_refused() {
        let index = oci(MediaType::OCI_INDEX);
        let manifest = oci(MediaType::OCI_MANIFEST);
        let many: Vec<String> = (0..200).map(|n| entry(&n.to_string(), "a/b")).collect();
        let both = image(&[], r#","manifests":[]"#);
        let cases: Vec<(Vec<u8>, Option<&MediaType>)> = vec![
            (b"".to_vec(), Some(&manifest)),
            (b"{".to_vec(), Some(&manifest)),
            (b"[]".to_vec(), Some(&manifest)),
            (br#"{"schemaVersion":1}"#.to_vec(), Some(&manifest)),
            (br#"{"schemaVersion":2}"#.to_vec(), Some(&manifest)),
            (br#"{"schemaVersion":2}"#.to_vec(), Some(&index)),
            (image(&[], ""), None),
            (
                image(&[], &format!(r#","mediaType":"{}""#, MediaType::OCI_INDEX)),
                Some(&manifest),
            ),
            (
                image(
                    &[r#"{"mediaType":"a/b","digest":"sha256:bad","size":1}"#.to_owned()],
                    "",
                ),
                Some(&manifest),
            ),
            (
                image(&[entry("x", "a/b").replace("1}", "-1}")], ""),
                Some(&manifest),
            ),
            (image(&many, ""), Some(&manifest)),
            (both, Some(&manifest)),
            (image(&[], ""), Some(&index)),
            (image(&[], r#","manifests":null"#), Some(&index)),
        ];
        for (bytes, header) in cases {
            assert!(
                Manifest::parse(&bytes, header, LIMIT).is_err(),
                "{}",
                String::from_utf8_lossy(&bytes)
            );
        }
        let text = oci("text/plain");
        assert!(matches!(
            Manifest::parse(&image(&[], ""), Some(&text), LIMIT),
            Err(InvalidManifest::MediaType(_))
        ));
    }
}
