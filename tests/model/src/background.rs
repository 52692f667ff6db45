//! Work that no client waits for.

use crate::collection::Look;
use crate::protocol::Protocol;
use crate::rules::Rule;
use crate::scenario::Worker;
use crate::state::{Location, NAMES, State, Tick, UPLOADS, WorkerState};
use crate::witness::Event;

/// Time that is enough for everything to be collected.
const ENOUGH: Tick = 9;

impl Protocol {
    /// Calls with each step that a worker can take now.
    pub(crate) fn work_choices(
        &self,
        state: &State,
        index: usize,
        worker: Worker,
        mut choose: impl FnMut(u8),
    ) {
        if state.workers[index] != WorkerState::Idle {
            return choose(0);
        }
        match worker {
            Worker::Collector(_) => {
                for (repository, due) in (0..).zip(state.rows.due) {
                    if first_due(due, state.now).is_some() {
                        choose(repository);
                    }
                }
            }
            Worker::Deleter(_) => {
                for name in doomed(state) {
                    choose(name);
                }
            }
            Worker::Sweeper(_) => {
                for name in (0..NAMES as u8).filter(|name| state.has_bytes(*name)) {
                    choose(name);
                }
            }
            Worker::Expirer(_) => {
                for (id, upload) in (0..).zip(&state.rows.uploads) {
                    if upload.is_some_and(|upload| upload.is_idle) {
                        choose(id);
                    }
                }
            }
        }
    }

    /// A worker takes its next step.
    pub(crate) fn work(&self, state: &mut State, index: usize, choice: u8) {
        let worker = self.scenario.workers[index];
        state.workers[index] = match state.workers[index] {
            WorkerState::Idle => self.begin(state, worker, choice),
            WorkerState::Looked {
                repository,
                due_at,
                edge,
                is_over,
            } => {
                let look = Look {
                    repository,
                    due_at,
                    edge,
                    is_over,
                };
                match self.reap(state, look) {
                    Some(name) => WorkerState::DeletesNow(name),
                    None => WorkerState::Idle,
                }
            }
            WorkerState::DeletesNow(name) => {
                self.delete_bytes(state, name);
                WorkerState::Idle
            }
            WorkerState::Taken(name) => {
                if self.rules.has(Rule::BytesThenRow) {
                    self.delete_bytes(state, name);
                } else {
                    Self::forget_location(state, name);
                }
                WorkerState::HalfWay(name)
            }
            WorkerState::HalfWay(name) => {
                if self.rules.has(Rule::BytesThenRow) {
                    Self::forget_location(state, name);
                } else {
                    self.delete_bytes(state, name);
                }
                WorkerState::Idle
            }
            WorkerState::Seen(name) => {
                self.claim_orphan(state, name);
                WorkerState::Idle
            }
            WorkerState::Listed(id, epoch) => {
                if !Self::is_writing(state, id, worker.replica()) {
                    self.abort_upload(state, id, epoch);
                }
                WorkerState::Idle
            }
        };
    }

    fn begin(&self, state: &State, worker: Worker, choice: u8) -> WorkerState {
        match worker {
            Worker::Collector(_) => {
                let due = state.rows.due[usize::from(choice)];
                first_due(due, state.now).map_or(WorkerState::Idle, |due_at| {
                    let look = Self::look(state, choice, due_at);
                    WorkerState::Looked {
                        repository: look.repository,
                        due_at: look.due_at,
                        edge: look.edge,
                        is_over: look.is_over,
                    }
                })
            }
            Worker::Deleter(_) => WorkerState::Taken(choice),
            Worker::Sweeper(_) => WorkerState::Seen(choice),
            Worker::Expirer(_) => state.rows.uploads[usize::from(choice)]
                .map_or(WorkerState::Idle, |upload| {
                    WorkerState::Listed(choice, upload.epoch)
                }),
        }
    }

    /// What becomes of a state in which nobody asks for anything any more, when time passes and all workers work.
    pub(crate) fn drain(&self, state: &State) -> State {
        self.saw(Event::Drained);
        let mut state = state.clone();
        for _ in 0..ENOUGH {
            for id in 0..UPLOADS as u8 {
                if let Some(upload) = state.rows.uploads[usize::from(id)] {
                    self.abort_upload(&mut state, id, upload.epoch);
                }
            }
            for repository in 0..state.rows.due.len() {
                while let Some(due_at) = first_due(state.rows.due[repository], state.now) {
                    let look = Self::look(&state, repository as u8, due_at);
                    if let Some(name) = self.reap(&mut state, look) {
                        self.delete_bytes(&mut state, name);
                    }
                }
            }
            for name in 0..NAMES as u8 {
                if self.scenario.is_swept && state.has_bytes(name) {
                    self.claim_orphan(&mut state, name);
                }
            }
            for name in doomed(&state) {
                self.delete_bytes(&mut state, name);
                Self::forget_location(&mut state, name);
            }
            state.now += 1;
            if is_at_rest(&state) {
                break;
            }
        }
        state
    }
}

fn first_due(due: u32, now: Tick) -> Option<Tick> {
    let first = due.trailing_zeros() as Tick;
    (due != 0 && first <= now).then_some(first)
}

/// Whether time will change nothing any more.
fn is_at_rest(state: &State) -> bool {
    let mut locations = state.rows.locations.iter();
    state.rows.due.iter().all(|due| *due == 0)
        && !locations.any(|location| matches!(location, Some(Location::Doomed(_))))
}

fn doomed(state: &State) -> Vec<u8> {
    let locations = (0..).zip(&state.rows.locations);
    locations
        .filter(|(_, location)| matches!(location, Some(Location::Doomed(due)) if *due <= state.now))
        .map(|(name, _)| name)
        .collect()
}
