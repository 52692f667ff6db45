//! What a registry holds before the measurement: made once for each target, outside of the measured time.

use std::time::Duration;

use anyhow::{Result, ensure};
use sha2::{Digest, Sha256};

use crate::load::{Load, drive};
use crate::payload::{Block, Payload, digest_of, text};
use crate::registry::{Descriptor, get, manifest, push_blob, put_manifest};
use crate::scenario::{Needs, Scenario};
use crate::target::Address;

/// Repository with the large blob.
pub(crate) const STREAMS: &str = "perf/streams";
/// Repository with many tags.
pub(crate) const TAGS: &str = "perf/tags";
/// Repository with many small blobs.
pub(crate) const BLOBS: &str = "perf/blobs";
/// Repositories that receive manifests: this and a number.
pub(crate) const MANIFESTS: &str = "perf/manifests";
/// How many of those there are.
pub(crate) const MANIFEST_REPOSITORIES: u64 = 16;
/// Repositories that only fill the catalog: this and a number.
pub(crate) const CATALOG: &str = "perf/catalog";

/// Length of a page of tags.
pub(crate) const PAGE_OF_TAGS: u64 = 1000;
/// Length of a page of the catalog.
pub(crate) const PAGE_OF_REPOSITORIES: u64 = 100;

const FULL_TAGS: u64 = 3000;
const FULL_REPOSITORIES: u64 = 1000;
const SMALL_BLOBS: u64 = 256;
const SMALL_BLOB: u64 = 1024;
const LAYER: u64 = 1024;
const WITHOUT_LIMIT: Duration = Duration::MAX;

/// How much is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Length of the large blob in bytes.
    pub(crate) stream: u64,
    /// Percentage of the full number of tags and repositories.
    pub(crate) percent: u64,
}

/// What was made.
#[derive(Debug, Default)]
pub(crate) struct Fixture {
    /// The large blob.
    pub(crate) stream: Option<Descriptor>,
    /// Digests of the tagged manifests; the tag of the one at `i` is [`tag`]`(i)`.
    pub(crate) manifests: Vec<String>,
    /// Digests of the small blobs.
    pub(crate) blobs: Vec<String>,
    /// How many repositories only fill the catalog.
    pub(crate) repositories: u64,
    /// The blobs that every manifest names.
    pub(crate) parts: Option<(Descriptor, Descriptor)>,
}

/// Name of a tag in [`TAGS`].
pub(crate) fn tag(index: u64) -> String {
    format!("v{index:05}")
}

/// Name of a repository that only fills the catalog.
pub(crate) fn catalog_repository(index: u64) -> String {
    format!("{CATALOG}-{index:05}")
}

/// Name of a repository that receives manifests.
pub(crate) fn manifest_repository(index: u64) -> String {
    format!("{MANIFESTS}-{:02}", index % MANIFEST_REPOSITORIES)
}

impl Fixture {
    /// Makes what the scenarios need.
    pub(crate) fn make(address: &Address, scenarios: &[Scenario], size: Size, nonce: u64) -> Result<Self> {
        let needs = |what: Needs| scenarios.iter().any(|scenario| scenario.needs() == Some(what));
        let mut fixture = Self::default();
        if needs(Needs::Stream) {
            fixture.stream = Some(make_stream(address, size.stream, nonce)?);
        }
        if needs(Needs::Blobs) {
            fixture.blobs = make_blobs(address, BLOBS, SMALL_BLOBS, nonce + 1)?;
        }
        let parts = make_parts(nonce)?;
        if needs(Needs::Parts) {
            for index in 0..MANIFEST_REPOSITORIES {
                push_parts(address, &manifest_repository(index), nonce)?;
            }
        }
        if needs(Needs::Tags) {
            push_parts(address, TAGS, nonce)?;
            fixture.manifests = make_tags(address, (FULL_TAGS * size.percent / 100).max(1), &parts, nonce)?;
            let expected = PAGE_OF_TAGS.min(fixture.manifests.len() as u64);
            check_page(
                address,
                &format!("/v2/{TAGS}/tags/list?n={PAGE_OF_TAGS}"),
                "tags",
                expected,
            )?;
        }
        if needs(Needs::Catalog) {
            fixture.repositories = (FULL_REPOSITORIES * size.percent / 100).max(1);
            make_catalog(address, fixture.repositories, &parts, nonce)?;
            let expected = PAGE_OF_REPOSITORIES.min(fixture.repositories);
            check_page(
                address,
                &format!("/v2/_catalog?n={PAGE_OF_REPOSITORIES}"),
                "repositories",
                expected,
            )?;
        }
        fixture.parts = Some(parts);
        Ok(fixture)
    }
}

fn load(clients: usize, count: u64) -> Load {
    Load {
        clients,
        threads: 1,
        count,
        time: WITHOUT_LIMIT,
    }
}

fn part_payloads(nonce: u64) -> [Payload; 2] {
    let config = Payload {
        nonce: nonce + (1 << 19),
        length: LAYER,
    };
    [
        config,
        Payload {
            nonce: config.nonce + 1,
            length: LAYER,
        },
    ]
}

/// The blobs that every manifest names.
pub(crate) fn make_parts(nonce: u64) -> Result<(Descriptor, Descriptor)> {
    let mut block = Block::new();
    let [config, layer] = part_payloads(nonce).map(|payload| Descriptor {
        digest: payload.digest(&mut block),
        size: payload.length,
    });
    Ok((config, layer))
}

/// Pushes those blobs to a repository.
pub(crate) fn push_parts(address: &Address, repository: &str, nonce: u64) -> Result<()> {
    let mut block = Block::new();
    for payload in part_payloads(nonce) {
        let digest = payload.digest(&mut block);
        drive(load(1, 1), address, async |connection, _| {
            push_blob(connection, repository, payload, &digest).await
        })?;
    }
    Ok(())
}

/// Pushes the large blob and pulls it once, checking its digest: a fast wrong answer must not win.
fn make_stream(address: &Address, length: u64, nonce: u64) -> Result<Descriptor> {
    let payload = Payload { nonce, length };
    let digest = payload.digest(&mut Block::new());
    drive(load(1, 1), address, async |connection, _| {
        push_blob(connection, STREAMS, payload, &digest).await
    })?;
    drive(load(1, 1), address, async |connection, _| {
        let mut hash = Sha256::new();
        let path = format!("/v2/{STREAMS}/blobs/{digest}");
        let (head, received) = connection.download(&path, |piece| hash.update(piece)).await?;
        ensure!(
            head.status == 200 && received == length,
            "the large blob was answered {}",
            head.status
        );
        ensure!(
            text(&hash.finalize()) == digest,
            "the large blob has other bytes than were pushed"
        );
        Ok(received)
    })?;
    Ok(Descriptor { digest, size: length })
}

fn make_blobs(address: &Address, repository: &str, count: u64, nonce: u64) -> Result<Vec<String>> {
    let mut block = Block::new();
    let payload = |index: u64| Payload {
        nonce: nonce + index,
        length: SMALL_BLOB,
    };
    let digests: Vec<String> = (0..count)
        .map(|index| payload(index).digest(&mut block))
        .collect();
    drive(load(8, count), address, async |connection, index| {
        let digest = digests
            .get(index as usize)
            .map(String::as_str)
            .unwrap_or_default();
        push_blob(connection, repository, payload(index), digest).await
    })?;
    Ok(digests)
}

fn make_tags(
    address: &Address,
    count: u64,
    (config, layer): &(Descriptor, Descriptor),
    nonce: u64,
) -> Result<Vec<String>> {
    let body = |index: u64| manifest(config, layer, &format!("{nonce}-{index}"));
    drive(load(16, count), address, async |connection, index| {
        put_manifest(connection, TAGS, &tag(index), &body(index)).await
    })?;
    Ok((0..count).map(|index| digest_of(&body(index))).collect())
}

fn make_catalog(
    address: &Address,
    count: u64,
    (config, layer): &(Descriptor, Descriptor),
    nonce: u64,
) -> Result<()> {
    let body = manifest(config, layer, "catalog");
    let [config_payload, layer_payload] = part_payloads(nonce);
    drive(load(8, count), address, async |connection, index| {
        let repository = catalog_repository(index);
        push_blob(connection, &repository, config_payload, &config.digest).await?;
        push_blob(connection, &repository, layer_payload, &layer.digest).await?;
        put_manifest(connection, &repository, "latest", &body).await
    })?;
    Ok(())
}

/// A server that answers with shorter pages than were asked for must not look fast.
fn check_page(address: &Address, path: &str, member: &str, expected: u64) -> Result<()> {
    drive(load(1, 1), address, async |connection, _| {
        let length = get(connection, path).await?;
        let page: serde_json::Value = serde_json::from_slice(connection.body())?;
        let entries = page
            .get(member)
            .and_then(|entries| entries.as_array())
            .map_or(0, Vec::len);
        ensure!(
            entries as u64 == expected,
            "{path} has {entries} entries instead of {expected}"
        );
        Ok(length)
    })?;
    Ok(())
}
