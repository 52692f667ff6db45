//! A trace in words.

use crate::exploration::Trace;
use crate::protocol::{Action, Protocol, worker_name};
use crate::rules::Rule;
use crate::scenario::{Ask, Worker};
use crate::state::{Stage, State, Task, Work, WorkerState};

/// What somebody does in a step.
struct Part {
    who: String,
    does: String,
}

fn part(who: impl Into<String>, does: impl Into<String>) -> Part {
    Part {
        who: who.into(),
        does: does.into(),
    }
}

/// The steps of a trace in words. What one does without an interruption is one entry.
pub(crate) fn tell(protocol: &Protocol, trace: &Trace) -> Vec<String> {
    let mut story: Vec<Part> = Vec::new();
    for (state, action) in trace {
        let next = describe(protocol, state, *action);
        match story.last_mut() {
            Some(last) if last.who == next.who => {
                last.does.push_str(", ");
                last.does.push_str(&next.does);
            }
            _ => story.push(next),
        }
    }
    story
        .into_iter()
        .map(|Part { who, does }| format!("{who} {does}"))
        .collect()
}

fn describe(protocol: &Protocol, state: &State, action: Action) -> Part {
    match action {
        Action::Tick => part("time:", "a tick"),
        Action::Ask { client, replica } => ask(protocol, state, client, replica),
        Action::AskUnheard { client, replica } => {
            let Part { who, does } = ask(protocol, state, client, replica);
            part(who, format!("{does} (the answer is lost)"))
        }
        Action::GiveUp(index) => {
            let task = &state.tasks[index];
            let still = request(protocol, task);
            part(format!("client {}", task.client), format!("hangs up on {still}"))
        }
        Action::Step(index) => step(protocol, &state.tasks[index]),
        Action::Yield(index) => part(request(protocol, &state.tasks[index]), "ends for its successor"),
        Action::Work(index, choice) => work(protocol, state, index, choice),
        Action::Crash(replica) => part(format!("replica {replica}"), "crashes"),
        Action::PowerLoss => part("power", "is lost"),
        Action::Reopen => part(
            "the metadata store",
            "is opened again without what was not durable",
        ),
    }
}

fn ask(protocol: &Protocol, state: &State, client: u8, replica: u8) -> Part {
    let place = &state.clients[usize::from(client)];
    let what = match protocol.next_ask(client, place) {
        None => "is done".to_owned(),
        Some(Ask::Head(repository)) => format!("asks HEAD in r{repository}"),
        Some(Ask::Push(_)) => {
            let (id, begins) = match place.upload {
                Some(id) => (id, "continues"),
                None => (state.next_upload, "begins"),
            };
            format!("{begins} upload {id} at replica {replica}")
        }
        Some(Ask::Mount(from, to)) => format!("mounts from r{from} to r{to}"),
        Some(Ask::Commit {
            repository, manifest, ..
        }) => format!("commits m{manifest} in r{repository}"),
        Some(Ask::DeleteManifest(repository, manifest)) => format!("deletes m{manifest} in r{repository}"),
        Some(Ask::DeleteBlob(repository)) => format!("deletes the blob in r{repository}"),
        Some(Ask::Pull(repository, manifest)) => format!("gets m{manifest} in r{repository}"),
    };
    part(format!("client {client}"), what)
}

fn request(protocol: &Protocol, task: &Task) -> String {
    match task.work {
        Work::Write { upload, chunk, .. } => {
            let method = if usize::from(chunk) + 1 == protocol.scenario.chunks {
                "PUT"
            } else {
                "PATCH"
            };
            format!("{method} of upload {upload} at replica {}", task.replica)
        }
        _ => format!("the request of client {}", task.client),
    }
}

fn step(protocol: &Protocol, task: &Task) -> Part {
    let does = match task.work {
        Work::Write { stage, .. } => match stage {
            Stage::Claim => "claims",
            Stage::Open => "opens",
            Stage::Write => "writes",
            Stage::Sync | Stage::SyncLate => "syncs",
            Stage::Record | Stage::RecordLooked(_) => "writes its row",
        },
        Work::Renew(_) => "answers 200",
        Work::Grant(_) => "makes the link",
        Work::WriteEdges(..) => "writes the edges",
        Work::Find(..) => "looks for the blob",
        Work::Read(..) => "reads the bytes",
    };
    part(request(protocol, task), does)
}

fn work(protocol: &Protocol, state: &State, index: usize, choice: u8) -> Part {
    let worker = protocol.scenario.workers[index];
    let is_bytes_first = protocol.rules.has(Rule::BytesThenRow);
    let does = match state.workers[index] {
        WorkerState::Idle => match worker {
            Worker::Collector(_) => format!("looks at the due link of r{choice}"),
            Worker::Deleter(_) => format!("takes doomed name {choice}"),
            Worker::Sweeper(_) => format!("sees name {choice}"),
            Worker::Expirer(_) => format!("lists upload {choice} as idle"),
        },
        WorkerState::Looked { repository, .. } => format!("reaps r{repository}"),
        WorkerState::DeletesNow(name) => format!("deletes the bytes of {name}"),
        WorkerState::Taken(name) if is_bytes_first => format!("deletes the bytes of {name}"),
        WorkerState::HalfWay(name) if !is_bytes_first => format!("deletes the bytes of {name}"),
        WorkerState::Taken(name) | WorkerState::HalfWay(name) => format!("forgets {name}"),
        WorkerState::Seen(name) => format!("claims {name} as an orphan"),
        WorkerState::Listed(id, _) => format!("cancels upload {id}"),
    };
    part(worker_name(worker), does)
}
