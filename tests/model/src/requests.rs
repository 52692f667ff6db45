//! Requests of clients: bytes first, then the row, then the answer.

use crate::operations::DOOM_DELAY;
use crate::protocol::Protocol;
use crate::rules::Rule;
use crate::scenario::Ask;
use crate::state::{Breach, Cell, Epoch, Stage, State, Task, UPLOADS, Work};
use crate::witness::Event;

/// How often a client begins again when a manifest's blob is missing.
const RESTARTS: u8 = 1;
/// The place of a client that ended.
const DONE: u8 = 9;

/// What a client learns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// It goes on.
    Next,
    /// It need not push.
    SkipPush,
    /// It asks how far its upload is, and continues.
    Again,
    /// It claimed more often than the model has room for, and ends.
    Exhausted,
    /// Its upload is gone.
    UploadUnknown,
    /// Its manifest names a blob that is not there.
    BlobUnknown,
}

impl Protocol {
    /// Whether an ask is one atomic operation.
    pub(crate) fn is_at_once(&self, ask: Ask) -> bool {
        match ask {
            Ask::Push(_) | Ask::Pull(..) => false,
            Ask::Head(_) => self.rules.has(Rule::HeadAnswersFromRenewal),
            Ask::Mount(..) => self.rules.has(Rule::MountIsOneOperation),
            Ask::Commit { .. } => self.rules.has(Rule::CommitIsOneOperation),
            Ask::DeleteManifest(..) | Ask::DeleteBlob(_) => true,
        }
    }

    pub(crate) fn reply(state: &mut State, client: u8, is_heard: bool, reply: Reply) {
        if !is_heard {
            return;
        }
        let client = &mut state.clients[usize::from(client)];
        client.is_waiting = false;
        match reply {
            Reply::Next => {
                client.at += 1;
                client.upload = None;
            }
            Reply::SkipPush => client.at += 2,
            Reply::Again => {}
            Reply::Exhausted => client.at = DONE,
            Reply::UploadUnknown => client.upload = None,
            Reply::BlobUnknown => {
                client.at = if client.restarts < RESTARTS { 0 } else { DONE };
                client.restarts += 1;
            }
        }
    }

    /// A client sends its next request.
    pub(crate) fn ask(&self, state: &mut State, client: u8, replica: u8, is_heard: bool) {
        let place = state.clients[usize::from(client)];
        let Some(ask) = self.next_ask(client, &place) else {
            return;
        };
        let begin = |state: &mut State, work| {
            state.clients[usize::from(client)].is_waiting = is_heard;
            state.tasks.push(Task {
                client,
                replica,
                is_heard,
                work,
            });
        };
        let reply = match ask {
            Ask::Push(repository) => {
                match self.next_write(state, client, repository) {
                    Some(work) => begin(state, work),
                    None => state.clients[usize::from(client)].at = DONE,
                }
                return;
            }
            Ask::Pull(repository, manifest) => {
                if state.rows.manifests[usize::from(repository)] & (1 << manifest) == 0 {
                    Reply::Next
                } else {
                    return begin(state, Work::Find(repository, state.now));
                }
            }
            Ask::Head(repository) if self.is_at_once(ask) => {
                if self.stat_blob(state, repository) {
                    Reply::SkipPush
                } else {
                    Reply::Next
                }
            }
            Ask::Head(repository) => {
                if state.rows.links[usize::from(repository)].is_some() {
                    return begin(state, Work::Renew(repository));
                }
                Reply::Next
            }
            Ask::Mount(from, to) => {
                if state.rows.links[usize::from(from)].is_none() {
                    Reply::BlobUnknown
                } else if self.is_at_once(ask) {
                    self.mount_blob(state, to);
                    Reply::Next
                } else {
                    return begin(state, Work::Grant(to));
                }
            }
            Ask::Commit {
                repository,
                manifest,
                is_required,
            } => {
                if self.is_at_once(ask) {
                    if self.commit_manifest(state, repository, manifest, is_required) {
                        Reply::Next
                    } else {
                        Reply::BlobUnknown
                    }
                } else if state.rows.links[usize::from(repository)].is_some() {
                    return begin(state, Work::WriteEdges(repository, manifest));
                } else {
                    Reply::BlobUnknown
                }
            }
            Ask::DeleteManifest(repository, manifest) => {
                self.delete_manifest(state, repository, manifest);
                Reply::Next
            }
            Ask::DeleteBlob(repository) => {
                self.unlink_blob(state, repository);
                Reply::Next
            }
        };
        Self::reply(state, client, is_heard, reply);
    }

    /// Begins an upload, or asks how far it is, and chooses the next request of it.
    fn next_write(&self, state: &mut State, client: u8, repository: u8) -> Option<Work> {
        let index = usize::from(client);
        let upload = match state.clients[index].upload {
            Some(upload) => upload,
            None if usize::from(state.next_upload) == UPLOADS => return None,
            None => Self::create_upload(state),
        };
        state.clients[index].upload = Some(upload);
        let last = self.scenario.chunks as u8 - 1;
        // An upload that is unknown may be finished: the closing request is repeated.
        let saved = state.rows.uploads[usize::from(upload)].map_or(last, |row| row.saved);
        Some(Work::Write {
            upload,
            chunk: saved.min(last),
            repository,
            stage: Stage::Claim,
            epoch: Epoch::default(),
            extents: [0; _],
        })
    }

    /// Whether a replica writes an upload, having claimed it.
    pub(crate) fn is_writing(state: &State, id: u8, replica: u8) -> bool {
        state.tasks.iter().any(|task| {
            task.replica == replica
                && matches!(task.work, Work::Write { upload, stage, .. } if upload == id && stage != Stage::Claim)
        })
    }

    /// Whether a request can go on.
    pub(crate) fn can_step(&self, state: &State, task: &Task) -> bool {
        match task.work {
            Work::Write {
                upload,
                stage: Stage::Claim,
                ..
            } => !self.rules.has(Rule::SuccessorWaits) || !Self::is_writing(state, upload, task.replica),
            _ => true,
        }
    }

    /// Whether a request ends because a successor waits for it.
    pub(crate) fn can_yield(state: &State, task: &Task) -> bool {
        let Work::Write { upload, stage, .. } = task.work else {
            return false;
        };
        let is_receiving = matches!(stage, Stage::Open | Stage::Write | Stage::Sync);
        let mut others = state.tasks.iter();
        is_receiving
            && !task.is_heard
            && others.any(|other| {
                other.replica == task.replica
                    && matches!(other.work, Work::Write { upload: wanted, stage: Stage::Claim, .. } if wanted == upload)
            })
    }

    /// A request takes its next step.
    pub(crate) fn step(&self, state: &mut State, task: Task) {
        let reply = match task.work {
            Work::Write { .. } => return self.step_write(state, task),
            Work::Renew(repository) => {
                self.renew_blindly(state, repository);
                Reply::SkipPush
            }
            Work::Grant(repository) => {
                self.mount_blob(state, repository);
                Reply::Next
            }
            Work::WriteEdges(repository, manifest) => {
                self.write_edges(state, repository, manifest, true);
                Reply::Next
            }
            Work::Find(repository, since) => {
                let is_linked = state.rows.links[usize::from(repository)].is_some();
                if let (true, Some(extents)) = (is_linked, state.rows.blob) {
                    let work = Work::Read(extents, state.now);
                    state.tasks.push(Task { work, ..task });
                    return;
                }
                if since + self.scenario.grace > state.now {
                    state.breach(Breach::ReaderFailed);
                }
                Reply::Next
            }
            Work::Read(extents, since) => {
                let chunks = self.scenario.chunks;
                let is_whole = state
                    .durable_cells(extents, chunks)
                    .all(|(chunk, cell)| cell == Cell::Chunk(chunk as u8));
                if is_whole {
                    self.saw(Event::Downloaded);
                } else if since + DOOM_DELAY > state.now {
                    state.breach(Breach::ReaderFailed);
                }
                Reply::Next
            }
        };
        Self::reply(state, task.client, task.is_heard, reply);
    }
}
