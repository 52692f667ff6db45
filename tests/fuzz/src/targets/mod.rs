//! One file for each thing that is parsed.

mod access_pattern;
mod configuration;
mod hash_state;
mod htpasswd;
mod manifest;
mod path;
mod query_pages;
mod range;
mod reference;
mod request;
mod s3_chunks;
mod s3_client;
mod s3_document;
mod s3_operation;
mod s3_signature;
mod stored_row;

use crate::Verdict;

/// A reader under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What is parsed.
    pub name: &'static str,
    /// Feeds it bytes; panics when it breaks a promise.
    pub run: fn(&[u8]) -> Verdict,
    /// Longest input worth trying, in bytes.
    pub longest: usize,
    /// Mutated inputs of a short run: two or three seconds without optimisation.
    pub short_run: u32,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("access_pattern", access_pattern::target, 1024, 3_000),
    target("configuration", configuration::target, 8192, 2_000),
    target("hash_state", hash_state::target, 1024, 10_000),
    target("htpasswd", htpasswd::target, 2048, 10_000),
    target("manifest", manifest::target, 8192, 5_000),
    target("path", path::target, 1024, 20_000),
    target("query_pages", query_pages::target, 1100, 500),
    target("range", range::target, 128, 20_000),
    target("reference", reference::target, 512, 10_000),
    target("request", request::target, 4096, 250),
    target("s3_chunks", s3_chunks::target, 4096, 5_000),
    target("s3_document", s3_document::target, 4096, 10_000),
    target("s3_operation", s3_operation::target, 2048, 10_000),
    target("s3_signature", s3_signature::target, 2048, 3_000),
    target("stored_row", stored_row::target, 2048, 50_000),
];

const fn target(name: &'static str, run: fn(&[u8]) -> Verdict, longest: usize, short_run: u32) -> Target {
    Target {
        name,
        run,
        longest,
        short_run,
    }
}

/// The target of a name.
pub fn target_named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
