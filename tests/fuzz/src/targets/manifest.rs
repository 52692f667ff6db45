//! Manifests and indexes as clients push them.

use std::collections::HashMap;

use serde_json::Value;
use zas_core::{Descriptor, Digest, InvalidManifest, Manifest, ManifestKind, MediaType, ReferenceRole};

use crate::Verdict;
use crate::input::Input;

/// The first byte chooses the `Content-Type`, the second the most references; the rest is the body.
///
/// A manifest that is read has references that are distinct, bounded and exactly those that an independent reading of
/// the JSON finds; its referrers descriptor is JSON that reads back; reading it twice says the same twice.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let header = header(input.byte());
    let limit = usize::from(input.byte());
    let body = input.rest();
    let first = Manifest::parse(body, header.as_ref(), limit);
    let second = Manifest::parse(body, header.as_ref(), limit);
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first, second, "two readings of the same bytes");
            check(&first, body, header.as_ref(), limit);
            Verdict::Accepted
        }
        (Err(first), Err(second)) => {
            assert_eq!(
                first.to_string(),
                second.to_string(),
                "two refusals of the same bytes"
            );
            if let InvalidManifest::TooManyReferences { found, limit: told } = first {
                assert!(found > limit && told == limit, "{found} references of {limit}");
                let fewer = Manifest::parse(body, header.as_ref(), found - 1);
                let is_refused = matches!(fewer, Err(InvalidManifest::TooManyReferences { .. }));
                assert!(is_refused, "{found} references pass a limit of one fewer");
            }
            Verdict::Refused
        }
        (first, second) => panic!("the same bytes are {first:?} and {second:?}"),
    }
}

fn header(choice: u8) -> Option<MediaType> {
    let text = match choice % 8 {
        0 | 6 => return None,
        1 | 7 => MediaType::OCI_MANIFEST,
        2 => MediaType::OCI_INDEX,
        3 => MediaType::DOCKER_MANIFEST,
        4 => MediaType::DOCKER_LIST,
        _ => MediaType::OCI_EMPTY,
    };
    Some(text.parse().expect("a media type"))
}

fn check(manifest: &Manifest, body: &[u8], header: Option<&MediaType>, limit: usize) {
    let found = manifest.references.len();
    assert!(found <= limit, "{found} references of {limit}");
    assert!(manifest.artifact_type.as_ref().is_none_or(|own| own.len() <= 255));
    assert!(header.is_none_or(|header| *header == manifest.media_type));
    assert!(manifest.media_type.is_manifest(), "{}", manifest.media_type);
    if let Some(fewer) = found.checked_sub(1) {
        let refused = Manifest::parse(body, header, fewer);
        let is_refused = matches!(refused, Err(InvalidManifest::TooManyReferences { .. }));
        assert!(is_refused, "{found} references pass a limit of {fewer}");
    }
    check_descriptor(manifest, body);
    // What an unknown field holds may be too deep or too large a number for a reading into a tree.
    if let Ok(tree) = serde_json::from_slice::<Value>(body) {
        check_against_tree(manifest, &tree);
    }
}

fn check_descriptor(manifest: &Manifest, body: &[u8]) {
    let descriptor = manifest.descriptor(Digest::sha256_of(body), body.len() as u64);
    let written = serde_json::to_vec(&descriptor).expect("a descriptor can be written");
    let read: Descriptor = serde_json::from_slice(&written).expect("a descriptor reads back");
    assert_eq!(read, descriptor);
}

fn check_against_tree(manifest: &Manifest, tree: &Value) {
    let mut expected: HashMap<String, (u64, ReferenceRole)> = HashMap::new();
    let mut add = |entry: &Value, role| {
        let digest = entry["digest"].as_str().expect("a digest").to_owned();
        let size = entry["size"].as_u64().expect("a size");
        expected.entry(digest).or_insert((size, role));
    };
    match manifest.kind {
        ManifestKind::Image => {
            add(&tree["config"], ReferenceRole::Config);
            let layers = tree["layers"].as_array();
            layers
                .into_iter()
                .flatten()
                .for_each(|layer| add(layer, ReferenceRole::Layer));
        }
        ManifestKind::Index => {
            let children = tree["manifests"].as_array();
            children
                .into_iter()
                .flatten()
                .for_each(|child| add(child, ReferenceRole::Child));
        }
    }
    assert_eq!(manifest.references.len(), expected.len(), "each digest once");
    for reference in &manifest.references {
        let stated = expected.get(&reference.digest.to_string());
        assert_eq!(
            stated,
            Some(&(reference.size, reference.role)),
            "{}",
            reference.digest
        );
    }
    let subject = tree["subject"]["digest"].as_str();
    assert_eq!(
        manifest.subject.map(|subject| subject.to_string()).as_deref(),
        subject
    );
}
