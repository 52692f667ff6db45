//! Filling a store.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::fixture::{make_parts, push_parts};
use crate::load::{Load, drive};
use crate::payload::{Block, Payload, digest_of};
use crate::registry::{manifest, push_blob_at_once, put_index, put_manifest, tagged};
use crate::target::Address;

/// Repository with many blobs.
const BLOBS: &str = "growth/blobs";
/// A push by digest may carry a few more (`limits.tagParameters`).
const TAGS_PER_PUSH: u64 = 40;
const BLOB: u64 = 1024;
const FILLING_CLIENTS: usize = 64;
/// After so many blobs the progress is told.
const STEP: u64 = 100_000;

fn filling(count: u64) -> Load {
    Load {
        clients: FILLING_CLIENTS,
        threads: 1,
        count,
        time: Duration::MAX,
    }
}

/// Manifests with [`TAGS_PER_PUSH`] tags each.
pub(super) fn push_tags(address: &Address, repository: &str, count: u64, nonce: u64) -> Result<()> {
    let (config, layer) = make_parts(nonce)?;
    push_parts(address, repository, nonce)?;
    let pushes = count.div_ceil(TAGS_PER_PUSH);
    drive(filling(pushes), address, async |connection, index| {
        let body = manifest(&config, &layer, &format!("{index}"));
        let first = index * TAGS_PER_PUSH;
        let tags = (first..count.min(first + TAGS_PER_PUSH)).map(tag);
        put_manifest(connection, repository, &tagged(&digest_of(&body), tags), &body).await
    })?;
    Ok(())
}

/// Repositories with one manifest each, which names nothing.
pub(super) fn push_repositories(address: &Address, count: u64) -> Result<()> {
    drive(filling(count), address, async |connection, index| {
        put_index(connection, &repository(index), "latest").await
    })?;
    Ok(())
}

/// Blobs of 1 KiB, from the number `first` on.
pub(super) fn push_blobs(address: &Address, first: u64, count: u64) -> Result<()> {
    let mut block = Block::new();
    for step in (0..count).step_by(STEP as usize) {
        let payload = |index: u64| Payload {
            nonce: first + step + index,
            length: BLOB,
        };
        let length = STEP.min(count - step);
        let digests: Vec<String> = (0..length)
            .map(|index| payload(index).digest(&mut block))
            .collect();
        drive(filling(length), address, async |connection, index| {
            let digest = digests
                .get(index as usize)
                .context("more pushes than were prepared")?;
            push_blob_at_once(connection, BLOBS, payload(index), digest).await
        })?;
        if count > STEP {
            eprintln!("growth: {} of {count} blobs", step + length);
        }
    }
    Ok(())
}

/// The name of a tag.
pub(super) fn tag(index: u64) -> String {
    format!("v{index:07}")
}

/// The name of a repository of the catalog.
pub(super) fn repository(index: u64) -> String {
    format!("growth/catalog-{index:06}")
}
