//! Requests that bring bytes: bytes first, then the row, then the answer.

use crate::operations::{Claim, Outcome};
use crate::protocol::Protocol;
use crate::requests::Reply;
use crate::rules::Rule;
use crate::state::{Breach, Cell, File, Stage, State, Task, Work};
use crate::witness::Event;

impl Protocol {
    pub(crate) fn step_write(&self, state: &mut State, task: Task) {
        let Work::Write {
            upload,
            chunk,
            repository,
            stage,
            epoch,
            extents,
        } = task.work
        else {
            return;
        };
        let at = |stage| Task {
            work: Work::Write {
                upload,
                chunk,
                repository,
                stage,
                epoch,
                extents,
            },
            ..task
        };
        let name = usize::from(extents[usize::from(chunk)]);
        let is_closing = usize::from(chunk) + 1 == self.scenario.chunks;
        let row_waits = self.rules.has(if is_closing {
            Rule::DurableBeforeRow
        } else {
            Rule::SaveAfterSync
        });
        let record = if is_closing && !self.rules.has(Rule::FinishIsOneOperation) {
            Stage::RecordLooked(state.rows.blob.is_some())
        } else {
            Stage::Record
        };
        match stage {
            Stage::Claim => self.step_claim(state, task),
            Stage::Open => {
                let file = &mut state.files[name];
                if self.rules.has(Rule::OwnNames) && self.rules.has(Rule::NameIsNew) && file.is_there() {
                    return Self::reply(state, task.client, task.is_heard, Reply::Again);
                }
                // What is cut off may be gone from the disk at once.
                for cells in [&mut file.cached, &mut file.durable] {
                    cells[usize::from(chunk)..].fill(Cell::Absent);
                }
                state.tasks.push(at(Stage::Write));
            }
            Stage::Write => {
                Self::put_chunk(&mut state.files[name], usize::from(chunk), chunk);
                state.tasks.push(at(if row_waits { Stage::Sync } else { record }));
            }
            Stage::Sync | Stage::SyncLate => {
                let file = &mut state.files[name];
                file.durable = file.cached;
                if stage == Stage::Sync {
                    state.tasks.push(at(record));
                } else {
                    let reply = if is_closing { Reply::Next } else { Reply::Again };
                    Self::reply(state, task.client, task.is_heard, reply);
                }
            }
            Stage::Record | Stage::RecordLooked(_) => {
                let outcome = if is_closing {
                    let looked = match stage {
                        Stage::RecordLooked(is_there) => Some(is_there),
                        _ => None,
                    };
                    self.finish_upload(state, upload, epoch, repository, extents, looked)
                } else {
                    self.save_progress(state, upload, epoch, chunk + 1, extents)
                };
                let reply = match outcome {
                    Outcome::Done if !row_waits => return state.tasks.push(at(Stage::SyncLate)),
                    Outcome::Done if is_closing => Reply::Next,
                    Outcome::Done | Outcome::Fenced | Outcome::Unknown => Reply::Again,
                };
                Self::reply(state, task.client, task.is_heard, reply);
            }
        }
    }

    fn step_claim(&self, state: &mut State, task: Task) {
        let Work::Write {
            upload,
            chunk,
            repository,
            ..
        } = task.work
        else {
            return;
        };
        let Claim::Claimed(claim) = self.claim_upload(state, upload) else {
            let reply = self.answer_unknown(state, &task, upload, chunk, repository);
            return Self::reply(state, task.client, task.is_heard, reply);
        };
        let Some(own) = self.name_of(upload, claim.epoch) else {
            return Self::reply(state, task.client, task.is_heard, Reply::Exhausted);
        };
        if claim.saved != chunk {
            return Self::reply(state, task.client, task.is_heard, Reply::Again);
        }
        if chunk > 0 {
            self.saw(Event::Resumed);
        }
        let mut extents = claim.extents;
        extents[usize::from(chunk)] = own;
        let work = Work::Write {
            upload,
            chunk,
            repository,
            stage: Stage::Open,
            epoch: claim.epoch,
            extents,
        };
        state.tasks.push(Task { work, ..task });
    }

    /// What a closing request hears whose upload is unknown.
    fn answer_unknown(&self, state: &mut State, task: &Task, upload: u8, chunk: u8, repository: u8) -> Reply {
        let link = state.rows.links[usize::from(repository)];
        let is_closing = usize::from(chunk) + 1 == self.scenario.chunks;
        if self.rules.has(Rule::RetriedPutIsKnown)
            && is_closing
            && link.is_some_and(|link| link.upload == Some(upload))
        {
            self.saw(Event::PutRetried);
            self.stat_blob(state, repository);
            return Reply::Next;
        }
        let was_finished = state.promises.finished & (1 << upload) != 0;
        if task.is_heard && is_closing && was_finished && link.is_some() {
            state.breach(Breach::RetryRefused);
        }
        Reply::UploadUnknown
    }

    /// Writes a chunk of the blob at a position; a gap before it reads as zeros.
    pub(crate) fn put_chunk(file: &mut File, position: usize, chunk: u8) {
        let Some(cell) = file.cached.get_mut(position) else {
            return;
        };
        *cell = Cell::Chunk(chunk);
        for cell in &mut file.cached[..position] {
            if *cell == Cell::Absent {
                *cell = Cell::Hole;
            }
        }
    }
}
