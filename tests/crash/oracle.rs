//! What must be true: every operation that was sent, and whether it was acknowledged.
//!
//! Each fact of the registry is a key with a history of attempts to change it. An attempt that was answered counts
//! from its answer on; one that was never answered may have happened or not. Attempts that overlap in time may have
//! happened in either order. After a restart the observed value must be one that some legal order explains.

use std::collections::{BTreeMap, BTreeSet};

use zas_tests::{Document, Fact, FactValue};

/// A deletion is checked after so many restarts before it is believed.
const CHECKS_OF_ABSENCE: u32 = 3;

/// Names one operation, which may change several keys at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

#[derive(Clone, Debug)]
struct Attempt {
    ticket: Option<Ticket>,
    value: FactValue,
    started: u64,
    /// When its answer came, whatever that said.
    ended: Option<u64>,
    is_acknowledged: bool,
}

#[derive(Clone, Debug)]
struct History {
    attempts: Vec<Attempt>,
    absences: u32,
}

impl History {
    fn settled(value: FactValue) -> Self {
        Self {
            attempts: vec![Attempt {
                ticket: None,
                value,
                started: 0,
                ended: Some(0),
                is_acknowledged: true,
            }],
            absences: 0,
        }
    }

    /// The values that may be seen now, leaving one operation out of account.
    fn candidates(&self, without: Option<Ticket>) -> BTreeSet<FactValue> {
        let attempts = || {
            self.attempts
                .iter()
                .filter(|attempt| without.is_none() || attempt.ticket != without)
        };
        attempts()
            .filter(|attempt| !self.is_overwritten(attempt, without))
            .map(|attempt| attempt.value.clone())
            .collect()
    }

    /// Whether an acknowledged attempt began after this one had ended.
    fn is_overwritten(&self, attempt: &Attempt, without: Option<Ticket>) -> bool {
        let later = self
            .attempts
            .iter()
            .filter(|later| later.is_acknowledged && (without.is_none() || later.ticket != without));
        let last_start = later.map(|later| later.started).max();
        attempt
            .ended
            .is_some_and(|end| last_start.is_some_and(|start| start > end))
    }

    /// Whether the key tells if the operation happened: all others had ended before it began, so that none of them can
    /// have changed the key after it.
    fn tells_of(&self, ticket: Ticket) -> bool {
        let own = |attempt: &&Attempt| attempt.ticket == Some(ticket);
        let begun = self
            .attempts
            .iter()
            .filter(own)
            .map(|attempt| attempt.started)
            .min();
        let had_ended = |other: &Attempt| other.ended.zip(begun).is_some_and(|(end, start)| end < start);
        self.attempts
            .iter()
            .all(|attempt| own(&attempt) || had_ended(attempt))
    }
}

/// A manifest that was pushed at least once.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// Exactly what was pushed.
    pub(crate) document: Document,
    /// The digests of its config and layers.
    pub(crate) blobs: Vec<String>,
    /// What it refers to.
    pub(crate) subject: Option<String>,
}

/// Everything that was sent so far.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    clock: u64,
    histories: BTreeMap<Fact, History>,
    unanswered: BTreeMap<Ticket, Vec<(Fact, FactValue)>>,
    manifests: BTreeMap<String, Manifest>,
    acknowledged: u64,
}

impl Oracle {
    /// Notes that an operation is about to be sent which makes these changes, all or none.
    pub(crate) fn begin(&mut self, changes: &[(Fact, FactValue)]) -> Ticket {
        self.clock += 1;
        let ticket = Ticket(self.clock);
        for (key, value) in changes {
            let history = self
                .histories
                .entry(key.clone())
                .or_insert_with(|| History::settled(None));
            let attempt = Attempt {
                ticket: Some(ticket),
                value: value.clone(),
                started: self.clock,
                ended: None,
                is_acknowledged: false,
            };
            history.attempts.push(attempt);
        }
        self.unanswered.insert(ticket, changes.to_vec());
        ticket
    }

    /// Notes that the tags which may lead to a manifest, but need not, may go with it, each for itself.
    pub(crate) fn begin_possible_deletions(&mut self, repository: &str, digest: &str) -> Vec<Ticket> {
        let target = Some(digest.to_owned());
        let may_lead_there = |key: &Fact, history: &History| {
            let candidates = history.candidates(None);
            let is_tag = matches!(key, Fact::Tag { .. }) && key.repository() == repository;
            is_tag && candidates.len() > 1 && candidates.contains(&target)
        };
        let tags: Vec<Fact> = self
            .histories
            .iter()
            .filter(|(key, history)| may_lead_there(key, history))
            .map(|(key, _)| key.clone())
            .collect();
        tags.into_iter().map(|tag| self.begin(&[(tag, None)])).collect()
    }

    /// The operation was answered with success.
    pub(crate) fn acknowledge(&mut self, ticket: Ticket) {
        self.acknowledged += 1;
        let changes = self.unanswered.remove(&ticket).unwrap_or_default();
        self.end(ticket, &changes, true);
    }

    /// The server said that it failed: it may have done it or not, and does nothing of it any more.
    pub(crate) fn fail(&mut self, ticket: Ticket) {
        let changes = self.unanswered.get(&ticket).cloned().unwrap_or_default();
        self.end(ticket, &changes, false);
    }

    fn end(&mut self, ticket: Ticket, changes: &[(Fact, FactValue)], is_acknowledged: bool) {
        self.clock += 1;
        for (key, _) in changes {
            let history = self.histories.get_mut(key);
            let attempts = history.map(|history| &mut history.attempts).into_iter().flatten();
            for attempt in attempts.filter(|attempt| attempt.ticket == Some(ticket)) {
                attempt.ended = Some(self.clock);
                attempt.is_acknowledged = is_acknowledged;
            }
        }
    }

    /// The operation was refused: nothing of it may be seen.
    pub(crate) fn refuse(&mut self, ticket: Ticket) {
        for (key, _) in self.unanswered.remove(&ticket).unwrap_or_default() {
            if let Some(history) = self.histories.get_mut(&key) {
                history.attempts.retain(|attempt| attempt.ticket != Some(ticket));
            }
        }
    }

    /// How many operations were acknowledged, and how many were left without an answer since the last restart.
    pub(crate) fn counts(&self) -> (u64, usize) {
        (self.acknowledged, self.unanswered.len())
    }

    /// Remembers how to recognise a manifest.
    pub(crate) fn add_manifest(&mut self, manifest: Manifest) {
        self.manifests.insert(manifest.document.digest.clone(), manifest);
    }

    /// A manifest that was pushed somewhere.
    pub(crate) fn manifest(&self, digest: &str) -> Option<&Manifest> {
        self.manifests.get(digest)
    }

    /// Every key with the values that may be seen.
    pub(crate) fn expectations(&self) -> impl Iterator<Item = (&Fact, BTreeSet<FactValue>)> {
        self.histories
            .iter()
            .map(|(key, history)| (key, history.candidates(None)))
    }

    /// The values that may be seen of one key.
    pub(crate) fn expectation(&self, key: &Fact) -> BTreeSet<FactValue> {
        self.histories
            .get(key)
            .map_or_else(|| BTreeSet::from([None]), |history| history.candidates(None))
    }

    /// Whether a key is certainly there.
    pub(crate) fn is_present(&self, key: &Fact) -> bool {
        !self.expectation(key).contains(&None)
    }

    /// Operations that were not acknowledged, each with those of its changes that tell whether it happened and what would
    /// be seen of each key without it.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = Vec<(&Fact, &FactValue, BTreeSet<FactValue>)>> {
        self.unanswered.iter().map(|(ticket, changes)| {
            let telling = changes.iter().filter_map(|(key, value)| {
                let history = self.histories.get(key)?;
                let others = history.candidates(Some(*ticket));
                history.tells_of(*ticket).then_some((key, value, others))
            });
            telling.collect()
        })
    }

    /// The keys of a repository that are certainly there, with where they lead.
    pub(crate) fn present<'a>(&'a self, repository: &'a str) -> impl Iterator<Item = (&'a Fact, String)> {
        let own = self
            .histories
            .iter()
            .filter(move |(key, _)| key.repository() == repository);
        own.filter_map(|(key, history)| {
            let candidates = history.candidates(None);
            let is_certain = candidates.len() == 1;
            candidates
                .into_iter()
                .next()
                .flatten()
                .filter(|_| is_certain)
                .map(|value| (key, value))
        })
    }

    /// Whether a manifest of the repository that may be there names the blob.
    pub(crate) fn is_referenced(&self, repository: &str, blob: &str) -> bool {
        self.histories.iter().any(|(key, history)| match key {
            Fact::Manifest {
                repository: own,
                digest,
            } if own == repository => {
                let names_it = self
                    .manifests
                    .get(digest)
                    .is_some_and(|manifest| manifest.blobs.iter().any(|own| own == blob));
                names_it && history.candidates(None).iter().any(Option::is_some)
            }
            _ => false,
        })
    }

    /// Takes what was observed after a restart as the new truth: what was never answered has been decided.
    pub(crate) fn settle(&mut self, observed: impl Fn(&Fact) -> Option<FactValue>) {
        self.unanswered.clear();
        self.histories.retain(|key, history| {
            let Some(value) = observed(key) else { return true };
            let absences = if value.is_none() { history.absences + 1 } else { 0 };
            *history = History {
                absences,
                ..History::settled(value)
            };
            absences < CHECKS_OF_ABSENCE
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag() -> Fact {
        Fact::tag("a", "latest")
    }

    fn to(digest: &str) -> FactValue {
        Some(digest.to_owned())
    }

    #[test]
    fn given_an_acknowledged_change_when_asked_then_only_it_may_be_seen() {
        let mut oracle = Oracle::default();
        let ticket = oracle.begin(&[(tag(), to("1"))]);
        oracle.acknowledge(ticket);
        assert_eq!(oracle.expectation(&tag()), BTreeSet::from([to("1")]));
    }

    #[test]
    fn given_an_unanswered_change_when_asked_then_old_and_new_may_be_seen() {
        let mut oracle = Oracle::default();
        let first = oracle.begin(&[(tag(), to("1"))]);
        oracle.acknowledge(first);
        oracle.begin(&[(tag(), to("2"))]);
        assert_eq!(oracle.expectation(&tag()), BTreeSet::from([to("1"), to("2")]));
    }

    #[test]
    fn given_overlapping_changes_when_both_are_acknowledged_then_either_may_be_the_last() {
        // Given
        let mut oracle = Oracle::default();
        let one = oracle.begin(&[(tag(), to("1"))]);
        let two = oracle.begin(&[(tag(), to("2"))]);
        // When
        oracle.acknowledge(two);
        oracle.acknowledge(one);
        // Then
        assert_eq!(oracle.expectation(&tag()), BTreeSet::from([to("1"), to("2")]));
        let three = oracle.begin(&[(tag(), None)]);
        oracle.acknowledge(three);
        assert_eq!(oracle.expectation(&tag()), BTreeSet::from([None]));
    }

    #[test]
    fn given_a_failed_change_when_a_later_one_is_acknowledged_then_only_that_may_be_seen() {
        // Given
        let mut oracle = Oracle::default();
        let failed = oracle.begin(&[(tag(), to("1"))]);
        oracle.fail(failed);
        assert_eq!(oracle.expectation(&tag()), BTreeSet::from([None, to("1")]));
        // When
        let later = oracle.begin(&[(tag(), to("2"))]);
        oracle.acknowledge(later);
        // Then
        assert_eq!(oracle.expectation(&tag()), BTreeSet::from([to("2")]));
        assert!(oracle.unanswered().all(|changes| changes.is_empty()));
    }

    #[test]
    fn given_a_tag_that_may_lead_to_a_manifest_when_that_is_deleted_then_the_tag_may_be_gone() {
        // Given
        let mut oracle = Oracle::default();
        let first = oracle.begin(&[(tag(), to("1"))]);
        oracle.acknowledge(first);
        let moved = oracle.begin(&[(tag(), to("2"))]);
        oracle.fail(moved);
        // When
        assert!(oracle.begin_possible_deletions("a", "3").is_empty());
        let tickets = oracle.begin_possible_deletions("a", "2");
        // Then
        assert_eq!(tickets.len(), 1);
        tickets.into_iter().for_each(|ticket| oracle.fail(ticket));
        assert_eq!(
            oracle.expectation(&tag()),
            BTreeSet::from([None, to("1"), to("2")])
        );
    }

    #[test]
    fn given_a_refused_change_when_asked_then_it_may_not_be_seen() {
        let mut oracle = Oracle::default();
        let ticket = oracle.begin(&[(tag(), to("1"))]);
        oracle.refuse(ticket);
        assert_eq!(oracle.expectation(&tag()), BTreeSet::from([None]));
    }

    #[test]
    fn given_a_settled_value_when_asked_then_the_unanswered_change_is_decided() {
        let mut oracle = Oracle::default();
        oracle.begin(&[(tag(), to("1"))]);
        oracle.settle(|_| Some(to("1")));
        assert_eq!(oracle.expectation(&tag()), BTreeSet::from([to("1")]));
        assert_eq!(oracle.unanswered().count(), 0);
    }

    #[test]
    fn given_an_absence_seen_often_enough_when_settled_then_the_key_is_forgotten() {
        let mut oracle = Oracle::default();
        let ticket = oracle.begin(&[(tag(), None)]);
        oracle.acknowledge(ticket);
        for _ in 1..CHECKS_OF_ABSENCE {
            oracle.settle(|_| Some(None));
            assert_eq!(oracle.expectations().count(), 1);
        }
        oracle.settle(|_| Some(None));
        assert_eq!(oracle.expectations().count(), 0);
    }
}
