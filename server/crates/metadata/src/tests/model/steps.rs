//! The steps of a history, and what their numbers stand for.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use zas_core::{BucketId, Digest, Holder, Tag};

use super::super::{digest, repository};
use crate::Precondition;

/// One step; numbers choose among few repositories, contents, tags and uploads, so that steps meet.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Create {
        holder: u8,
    },
    Claim {
        holder: u8,
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
        holder: Option<u8>,
        upload: u8,
        is_current: bool,
        content: u8,
    },
    FinishInline {
        holder: Option<u8>,
        upload: u8,
        is_current: bool,
        content: u8,
    },
    Push {
        holder: u8,
        content: u8,
    },
    Stat {
        holder: u8,
        content: u8,
        renew: bool,
    },
    Mount {
        from: u8,
        to: u8,
        content: u8,
    },
    Unlink {
        holder: u8,
        content: u8,
    },
    Commit {
        holder: u8,
        body: u8,
        references: Vec<(u8, u8)>,
        tags: Vec<(u8, u8)>,
        subject: Option<(u8, u8)>,
    },
    DeleteTag {
        holder: u8,
        tag: u8,
        precondition: u8,
    },
    DeleteManifest {
        holder: u8,
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
    let (holder, content, body, upload) = (0..4_u8, 0..4_u8, 0..3_u8, 0..12_u8);
    let commit = (
        holder.clone(),
        body.clone(),
        vec((0..7_u8, 0..4_u8), 0..4),
        vec((0..3_u8, 0..5_u8), 0..3),
        option::of((0..4_u8, 0..2_u8)),
    );
    let finish = (
        option::of(holder.clone()),
        upload.clone(),
        prop::bool::weighted(0.9),
        content.clone(),
    );
    prop_oneof![
        2 => holder.clone().prop_map(|holder| Step::Create { holder }),
        1 => (holder.clone(), upload.clone()).prop_map(|(holder, upload)| Step::Claim { holder, upload }),
        2 => (upload.clone(), prop::bool::weighted(0.9), any::<bool>())
            .prop_map(|(upload, is_current, is_inline)| Step::Save { upload, is_current, is_inline }),
        1 => (upload.clone(), prop::bool::weighted(0.9))
            .prop_map(|(upload, is_current)| Step::Abort { upload, is_current }),
        4 => finish.clone().prop_map(|(holder, upload, is_current, content)| {
            Step::FinishFile { holder, upload, is_current, content }
        }),
        2 => finish.prop_map(|(holder, upload, is_current, content)| {
            Step::FinishInline { holder, upload, is_current, content }
        }),
        3 => (holder.clone(), content.clone()).prop_map(|(holder, content)| Step::Push { holder, content }),
        2 => (holder.clone(), content.clone(), any::<bool>())
            .prop_map(|(holder, content, renew)| Step::Stat { holder, content, renew }),
        2 => (holder.clone(), holder.clone(), content.clone())
            .prop_map(|(from, to, content)| Step::Mount { from, to, content }),
        1 => (holder.clone(), content).prop_map(|(holder, content)| Step::Unlink { holder, content }),
        6 => commit.prop_map(|(holder, body, references, tags, subject)| {
            Step::Commit { holder, body, references, tags, subject }
        }),
        1 => (holder.clone(), 0..3_u8, 0..5_u8)
            .prop_map(|(holder, tag, precondition)| Step::DeleteTag { holder, tag, precondition }),
        2 => (holder, body).prop_map(|(holder, body)| Step::DeleteManifest { holder, body }),
        4 => (1..90_u64).prop_map(|minutes| Step::Pass { minutes }),
        4 => (1..9_usize).prop_map(|count| Step::Reap { count }),
        1 => Just(Step::ReapAgain),
        1 => (0..4_usize).prop_map(|forget| Step::Sweep { forget }),
        1 => upload.prop_map(|upload| Step::ClaimOrphan { upload }),
        1 => Just(Step::Reopen),
    ]
}

/// The holder of a number: a repository, or the last one, a bucket.
pub(super) fn name(number: u8) -> Holder {
    match number {
        3 => Holder::Bucket(BucketId::from_bytes([3; 16])),
        number => repository(["team/app", "team/app/tools", "team"][usize::from(number)]),
    }
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
