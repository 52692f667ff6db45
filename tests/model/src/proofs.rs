//! For each rule the world that needs it, and the property that breaks without it.

use crate::properties::{BACKED, CLEAN, NAMED, PROGRESS, PROMISED, READABLE, REFERENCED, RETRYABLE, RIGHT};
use crate::rules::Rule;
use crate::scenario::{
    ABANDONED, ABSENT, DEDUPE, DELETE, ELSEWHERE, EXPIRY, LEASE, MOUNT, PUSH, RENEWAL, REOPEN, REPLACE,
    RESUME, RETURN, Scenario, TWINS, UNLINK,
};

/// Where a rule is needed and for what.
pub fn need(rule: Rule) -> (Scenario, &'static str) {
    match rule {
        Rule::FinishIsOneOperation => (DEDUPE, PROMISED),
        Rule::MountIsOneOperation => (MOUNT, PROMISED),
        Rule::CommitIsOneOperation => (LEASE, REFERENCED),
        Rule::DurableBeforeRow => (PUSH, BACKED),
        Rule::NameIsUpload => (RETURN, NAMED),
        Rule::DuplicateIsDoomed => (DEDUPE, CLEAN),
        Rule::RenewalDooms => (RENEWAL, READABLE),
        Rule::SweepAsksUploads => (PUSH, NAMED),
        Rule::SweepAsksLocations => (PUSH, REFERENCED),
        Rule::SaveAfterSync => (RESUME, RIGHT),
        Rule::EpochIsRequired => (EXPIRY, PROGRESS),
        Rule::SuccessorWaits => (ABANDONED, CLEAN),
        Rule::OwnNames => (ELSEWHERE, BACKED),
        Rule::NameIsNew => (REOPEN, BACKED),
        Rule::ClaimDooms => (ABANDONED, CLEAN),
        Rule::RetriedPutIsKnown => (PUSH, RETRYABLE),
        Rule::AnyLinkKeeps => (MOUNT, REFERENCED),
        Rule::EdgeForAbsent => (ABSENT, REFERENCED),
        Rule::HeadRenews => (LEASE, PROMISED),
        Rule::HeadAnswersFromRenewal => (LEASE, PROMISED),
        Rule::ReleaseLeases => (DELETE, READABLE),
        Rule::ReleaseKeepsLongerLease => (REPLACE, PROMISED),
        Rule::ReleaseQueues => (DELETE, CLEAN),
        Rule::UnlinkQueues => (UNLINK, CLEAN),
        Rule::RunningTouches => (EXPIRY, PROGRESS),
        Rule::ReapChecksEdge => (REPLACE, REFERENCED),
        Rule::ReapChecksLease => (LEASE, PROMISED),
        Rule::DoomThenDelete => (DELETE, READABLE),
        Rule::BytesThenRow => (RETURN, CLEAN),
    }
}

/// A world in which the protocol as it is breaks a property, known and accepted.
pub const KNOWN_LIMIT: (Scenario, &str) = (TWINS, RETRYABLE);

/// A rule without which no property of the model breaks.
pub const NOT_NEEDED: Rule = Rule::ReleaseKeepsLongerLease;
