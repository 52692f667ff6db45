//! What must be there after power loss: every operation with the moments when it was sent and answered.
//!
//! A moment has two parts: a tick, which orders operations among themselves, and the length of the record, which orders
//! them with what reached the disk. An operation that was answered by a moment of the record is there from then on; one
//! that was sent and not answered is there wholly or not at all.

use std::collections::{BTreeMap, BTreeSet};

use zas_tests::{Fact, FactValue};

/// When something was sent or answered.
#[derive(Clone, Copy, Debug)]
struct Moment {
    tick: u64,
    record: u64,
}

#[derive(Clone, Debug)]
struct Operation {
    changes: Vec<(Fact, FactValue)>,
    sent: Moment,
    answered: Option<Moment>,
}

/// Names an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(usize);

/// Everything that was sent.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    tick: u64,
    operations: Vec<Operation>,
    /// The blobs that each manifest names.
    manifests: BTreeMap<String, Vec<String>>,
}

/// An operation without an answer: those of its changes that nobody else can have changed after it, each with what may be
/// seen of the key without it.
pub(crate) type Pending = Vec<(Fact, FactValue, BTreeSet<FactValue>)>;

/// What may be seen when the record ends at a moment.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// The values that each key may show.
    pub(crate) keys: BTreeMap<Fact, BTreeSet<FactValue>>,
    /// What may be there or not.
    pub(crate) pending: Vec<Pending>,
    /// How many operations must be there.
    pub(crate) acknowledged: usize,
}

impl Oracle {
    /// An operation is about to be sent that makes these changes, all or none; the record has this length.
    pub(crate) fn send(&mut self, changes: &[(Fact, FactValue)], record: u64) -> Ticket {
        let sent = self.moment(record);
        self.operations.push(Operation {
            changes: changes.to_vec(),
            sent,
            answered: None,
        });
        Ticket(self.operations.len() - 1)
    }

    /// The operation was answered with success; the record has this length.
    pub(crate) fn acknowledge(&mut self, ticket: Ticket, record: u64) {
        let answered = self.moment(record);
        if let Some(operation) = self.operations.get_mut(ticket.0) {
            operation.answered = Some(answered);
        }
    }

    /// A manifest names these blobs.
    pub(crate) fn add_manifest(&mut self, digest: &str, blobs: Vec<String>) {
        self.manifests.insert(digest.to_owned(), blobs);
    }

    /// The blobs that a manifest names; `None` for one that nobody pushed.
    pub(crate) fn blobs_of(&self, manifest: &str) -> Option<&[String]> {
        self.manifests.get(manifest).map(Vec::as_slice)
    }

    /// The lengths of the record at which answers arrived.
    pub(crate) fn answers(&self) -> Vec<u64> {
        let answered = self.operations.iter().filter_map(|operation| operation.answered);
        answered.map(|moment| moment.record).collect()
    }

    /// How many operations were answered.
    pub(crate) fn count(&self) -> usize {
        self.answers().len()
    }

    /// What may be seen when the record has this length.
    pub(crate) fn at(&self, record: u64) -> Expected {
        let begun: Vec<Operation> = self
            .operations
            .iter()
            .filter(|operation| operation.sent.record <= record)
            .map(|operation| Operation {
                answered: operation.answered.filter(|moment| moment.record <= record),
                ..operation.clone()
            })
            .collect();
        let mut histories = BTreeMap::<&Fact, Vec<(usize, &Operation, &FactValue)>>::new();
        for (number, operation) in begun.iter().enumerate() {
            for (key, value) in &operation.changes {
                histories.entry(key).or_default().push((number, operation, value));
            }
        }
        let pending = begun
            .iter()
            .enumerate()
            .filter(|(_, operation)| operation.answered.is_none());
        let others = |key: &Fact, number: usize, sent: Moment| {
            let history = histories.get(key).map(Vec::as_slice).unwrap_or_default();
            let mut rest = history.to_vec();
            rest.retain(|(other, _, _)| *other != number);
            let had_ended =
                |operation: &Operation| operation.answered.is_some_and(|end| end.tick < sent.tick);
            rest.iter()
                .all(|(_, operation, _)| had_ended(operation))
                .then(|| candidates(&rest))
        };
        Expected {
            pending: pending
                .map(|(number, operation)| {
                    let changes = operation.changes.iter();
                    changes
                        .filter_map(|(key, value)| {
                            let others = others(key, number, operation.sent)?;
                            Some((key.clone(), value.clone(), others))
                        })
                        .collect()
                })
                .collect(),
            acknowledged: begun
                .iter()
                .filter(|operation| operation.answered.is_some())
                .count(),
            keys: histories
                .iter()
                .map(|(key, history)| ((*key).clone(), candidates(history)))
                .collect(),
        }
    }

    fn moment(&mut self, record: u64) -> Moment {
        self.tick += 1;
        Moment {
            tick: self.tick,
            record,
        }
    }
}

/// The values that some legal order of these changes leaves.
fn candidates(history: &[(usize, &Operation, &FactValue)]) -> BTreeSet<FactValue> {
    let answered = history
        .iter()
        .filter(|(_, operation, _)| operation.answered.is_some());
    let last_sent = answered.map(|(_, operation, _)| operation.sent.tick).max();
    let mut values: BTreeSet<FactValue> = history
        .iter()
        .filter(|(_, operation, _)| {
            let is_overwritten = |answered: Moment| last_sent.is_some_and(|sent| sent > answered.tick);
            !operation.answered.is_some_and(is_overwritten)
        })
        .map(|(_, _, value)| (*value).clone())
        .collect();
    if last_sent.is_none() {
        values.insert(None);
    }
    values
}

#[cfg(test)]
#[path = "oracle_tests.rs"]
mod tests;
