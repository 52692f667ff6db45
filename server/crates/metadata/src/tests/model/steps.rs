//! The steps of a history, and what their numbers stand for.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use zas_core::{Digest, RepositoryName, Tag};

use super::super::{digest, repository};
use crate::Precondition;

/// One step; numbers choose among few repositories, contents, tags and uploads, so that steps meet.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Create {
        repository: u8,
    },
    Claim {
        repository: u8,
        upload: u8,
    },
    Save {
        upload: u8,
        is_current: bool,
        is_inline: bool,
    },
    Abort {
        upload: u8,
        is_current: bool,
    },
    FinishFile {
        repository: Option<u8>,
        upload: u8,
        is_current: bool,
        content: u8,
    },
    FinishInline {
        repository: Option<u8>,
        upload: u8,
        is_current: bool,
        content: u8,
    },
    Push {
        repository: u8,
        content: u8,
    },
    Stat {
        repository: u8,
        content: u8,
        renew: bool,
    },
    Mount {
        from: u8,
        to: u8,
        content: u8,
    },
    Unlink {
        repository: u8,
        content: u8,
    },
    Commit {
        repository: u8,
        body: u8,
        references: Vec<(u8, u8)>,
        tags: Vec<(u8, u8)>,
        subject: Option<(u8, u8)>,
    },
    DeleteTag {
        repository: u8,
        tag: u8,
        precondition: u8,
    },
    DeleteManifest {
        repository: u8,
        body: u8,
    },
    Pass {
        minutes: u64,
    },
    Reap {
        count: usize,
    },
    ReapAgain,
    Sweep {
        forget: usize,
    },
    ClaimOrphan {
        upload: u8,
    },
    Reopen,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let (repository, content, body, upload) = (0..3_u8, 0..4_u8, 0..3_u8, 0..12_u8);
    let commit = (
        repository.clone(),
        body.clone(),
        vec((0..7_u8, 0..4_u8), 0..4),
        vec((0..3_u8, 0..5_u8), 0..3),
        option::of((0..4_u8, 0..2_u8)),
    );
    let finish = (
        option::of(repository.clone()),
        upload.clone(),
        prop::bool::weighted(0.9),
        content.clone(),
    );
    prop_oneof![
        2 => repository.clone().prop_map(|repository| Step::Create { repository }),
        1 => (repository.clone(), upload.clone()).prop_map(|(repository, upload)| Step::Claim { repository, upload }),
        2 => (upload.clone(), prop::bool::weighted(0.9), any::<bool>())
            .prop_map(|(upload, is_current, is_inline)| Step::Save { upload, is_current, is_inline }),
        1 => (upload.clone(), prop::bool::weighted(0.9))
            .prop_map(|(upload, is_current)| Step::Abort { upload, is_current }),
        4 => finish.clone().prop_map(|(repository, upload, is_current, content)| {
            Step::FinishFile { repository, upload, is_current, content }
        }),
        2 => finish.prop_map(|(repository, upload, is_current, content)| {
            Step::FinishInline { repository, upload, is_current, content }
        }),
        3 => (repository.clone(), content.clone()).prop_map(|(repository, content)| Step::Push { repository, content }),
        2 => (repository.clone(), content.clone(), any::<bool>())
            .prop_map(|(repository, content, renew)| Step::Stat { repository, content, renew }),
        2 => (repository.clone(), repository.clone(), content.clone())
            .prop_map(|(from, to, content)| Step::Mount { from, to, content }),
        1 => (repository.clone(), content).prop_map(|(repository, content)| Step::Unlink { repository, content }),
        6 => commit.prop_map(|(repository, body, references, tags, subject)| {
            Step::Commit { repository, body, references, tags, subject }
        }),
        1 => (repository.clone(), 0..3_u8, 0..5_u8)
            .prop_map(|(repository, tag, precondition)| Step::DeleteTag { repository, tag, precondition }),
        2 => (repository, body).prop_map(|(repository, body)| Step::DeleteManifest { repository, body }),
        4 => (1..90_u64).prop_map(|minutes| Step::Pass { minutes }),
        4 => (1..9_usize).prop_map(|count| Step::Reap { count }),
        1 => Just(Step::ReapAgain),
        1 => (0..4_usize).prop_map(|forget| Step::Sweep { forget }),
        1 => upload.prop_map(|upload| Step::ClaimOrphan { upload }),
        1 => Just(Step::Reopen),
    ]
}

/// The repository of a number.
pub(super) fn name(number: u8) -> RepositoryName {
    repository(["team/app", "team/app/tools", "team"][usize::from(number)])
}

pub(super) fn text(content: u8) -> String {
    format!("content {content}")
}

pub(super) fn body_text(body: u8) -> String {
    format!("{{body {body}}}")
}

/// A blob or, from 4 on, a manifest.
pub(super) fn target_digest(target: u8) -> Digest {
    if target < 4 {
        digest(&text(target))
    } else {
        digest(&body_text(target - 4))
    }
}

pub(super) fn tag_name(number: u8) -> Tag {
    ["latest", "v1", "v1.0"][usize::from(number)].parse().unwrap()
}

pub(super) fn artifact_type(number: u8) -> String {
    ["", "application/sbom"][usize::from(number)].to_owned()
}

pub(super) fn precondition(number: u8) -> Precondition {
    match number {
        0 | 1 => Precondition::Any,
        2 => Precondition::Absent,
        other => Precondition::Equals(digest(&body_text(other - 3))),
    }
}
