//! Compares what a restarted server shows with what it must show. Asks nothing.

use std::collections::BTreeSet;

use zas_tests::{Fact, FactValue};

use crate::observe::{Answer, Observed};
use crate::oracle::Oracle;
use crate::uploads::{OpenUpload, Progress, State, Uploads};

/// What may happen to a blob that no manifest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreferenced {
    /// Its lease lasts longer than the test.
    Kept,
    /// Its lease may be over.
    MayBeCollected,
}

/// Every promise that the observation breaks.
pub(crate) fn judge(
    oracle: &Oracle,
    uploads: &Uploads,
    seen: &Observed,
    unreferenced: Unreferenced,
) -> Vec<String> {
    let mut findings = seen.broken.clone();
    for (key, expected) in oracle.expectations() {
        findings.extend(judge_key(key, &expected, seen, unreferenced));
    }
    for (key, answer) in &seen.keys {
        match (key, answer) {
            (Fact::Manifest { repository, digest }, Answer::Content { media_type, .. }) => {
                findings.extend(judge_manifest(oracle, seen, repository, digest, media_type));
            }
            (Fact::Tag { repository, tag }, Answer::Content { digest, .. })
                if !seen.has(&Fact::manifest(repository, digest)) =>
            {
                findings.push(format!(
                    "tag {repository}:{tag} leads to {digest}, which is absent by its digest"
                ));
            }
            _ => {}
        }
    }
    findings.extend(judge_atomicity(oracle, seen));
    findings.extend(judge_tag_lists(seen));
    for (number, upload) in uploads.iter() {
        findings.extend(judge_upload(upload, seen.uploads.get(&number).copied(), seen));
    }
    findings
}

fn judge_key(
    key: &Fact,
    expected: &BTreeSet<FactValue>,
    seen: &Observed,
    unreferenced: Unreferenced,
) -> Option<String> {
    let value = match seen.keys.get(key) {
        None => return Some(format!("{key:?} was not asked for")),
        Some(Answer::Broken(what)) => return Some(what.clone()),
        Some(Answer::Absent) => None,
        Some(Answer::Content { digest, .. }) => Some(digest.clone()),
    };
    if expected.contains(&value) {
        return None;
    }
    let may_be_gone = matches!(key, Fact::Blob { .. }) && unreferenced == Unreferenced::MayBeCollected;
    if value.is_none() && may_be_gone {
        return None;
    }
    Some(format!("{key:?} shows {value:?}, expected one of {expected:?}"))
}

/// A manifest that is there is there wholly: its type, each of its blobs, its place among the referrers.
fn judge_manifest(
    oracle: &Oracle,
    seen: &Observed,
    repository: &str,
    digest: &str,
    media_type: &str,
) -> Vec<String> {
    let Some(manifest) = oracle.manifest(digest) else {
        return vec![format!(
            "{repository} has the manifest {digest}, which nobody pushed"
        )];
    };
    let mut findings = Vec::new();
    if media_type != manifest.document.media_type {
        findings.push(format!("manifest {digest} in {repository} came as {media_type}"));
    }
    for blob in &manifest.blobs {
        if !seen.has(&Fact::blob(repository, blob)) {
            findings.push(format!(
                "manifest {digest} in {repository} is there, its blob {blob} is not"
            ));
        }
    }
    findings
}

/// Operations without an answer happened wholly or not at all. Only keys tell that show something else without them.
fn judge_atomicity(oracle: &Oracle, seen: &Observed) -> Vec<String> {
    let mut findings = Vec::new();
    for changes in oracle.unanswered() {
        let telling = changes
            .iter()
            .filter(|(_, value, others)| others.len() == 1 && !others.contains(value));
        let outcomes: BTreeSet<bool> = telling
            .filter_map(|(key, value, _)| Some(seen.value(key)?.as_ref() == value.as_ref()))
            .collect();
        if outcomes.len() > 1 {
            let changes: Vec<_> = changes
                .iter()
                .map(|(key, value, _)| (key, value, seen.value(key)))
                .collect();
            findings.push(format!(
                "an operation happened by half; (key, wanted, seen): {changes:?}"
            ));
        }
    }
    findings.extend(judge_referrers(oracle, seen));
    findings
}

/// Exactly the manifests that are there are listed as referrers of their subjects.
fn judge_referrers(oracle: &Oracle, seen: &Observed) -> Vec<String> {
    let mut findings = Vec::new();
    for ((repository, subject), listed) in &seen.referrers {
        let refers = |digest: &String| {
            oracle
                .manifest(digest)
                .is_some_and(|own| own.subject.as_ref() == Some(subject))
        };
        let own = |key: &Fact| match key {
            Fact::Manifest {
                repository: own,
                digest,
            } if own == repository && refers(digest) => Some(digest.clone()),
            _ => None,
        };
        let present: BTreeSet<String> = seen
            .keys
            .keys()
            .filter(|key| seen.has(key))
            .filter_map(own)
            .collect();
        for digest in present.difference(listed) {
            findings.push(format!(
                "{digest} in {repository} is not listed as referrer of {subject}"
            ));
        }
        for digest in listed.difference(&present) {
            findings.push(format!(
                "{digest} is listed as referrer of {subject} in {repository} and is not there"
            ));
        }
    }
    findings
}

/// A list shows exactly the tags that can be pulled.
fn judge_tag_lists(seen: &Observed) -> Vec<String> {
    let mut findings = Vec::new();
    for (repository, listed) in &seen.tags {
        let own = |key: &Fact| match key {
            Fact::Tag { repository: own, tag } if own == repository => Some(tag.clone()),
            _ => None,
        };
        let present: BTreeSet<String> = seen
            .keys
            .keys()
            .filter(|key| seen.has(key))
            .filter_map(own)
            .collect();
        if present != *listed {
            let differing: Vec<_> = present.symmetric_difference(listed).collect();
            findings.push(format!(
                "the list of tags of {repository} and its tags differ in {differing:?}"
            ));
        }
    }
    findings
}

fn judge_upload(upload: &OpenUpload, seen: Option<Progress>, observed: &Observed) -> Option<String> {
    let OpenUpload {
        location,
        acknowledged,
        sent,
        state,
        ..
    } = upload;
    let progress = seen?;
    let blob = Fact::blob(&upload.repository, &upload.digest);
    match (state, progress) {
        // An upload that never took a byte holds nothing acknowledged.
        (State::Open, Progress::Unknown) if *acknowledged == 0 => None,
        (State::Open, Progress::Unknown) => {
            Some(format!("upload {location} is gone with {acknowledged} bytes"))
        }
        (State::Closing, Progress::Unknown) if observed.has(&blob) => None,
        (State::Closing, Progress::Unknown) => Some(format!("upload {location} is gone and made no blob")),
        (State::Cancelling | State::Cancelled, Progress::Unknown) => None,
        (State::Cancelled, Progress::Offset(_)) => {
            Some(format!("upload {location} is back after its cancellation"))
        }
        (_, Progress::Offset(offset)) if offset < *acknowledged || offset > *sent => Some(format!(
            "upload {location} is at {offset}, acknowledged to {acknowledged}, sent to {sent}"
        )),
        (_, Progress::Offset(_)) => None,
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
