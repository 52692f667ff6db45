//! The one thread that changes things. It runs operations one after the other over the database and the changes
//! of the group under construction, writes the group with one sync, then answers all of them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::keys;
use crate::operations::store;
use crate::ordered_map::{Changes, Durability, OrderedMap};
use crate::reopening::{Opener, Reopening};
use crate::rows::{Row as _, StartRow};
use crate::shared::Shared;
use crate::transaction::Transaction;
use crate::view::View;
use crate::{MetadataError, Result};

/// A group ends at the first of these three, or when no operation is waiting.
const GROUP_OPERATIONS: usize = 64;
const GROUP_BYTES: usize = 4 << 20;
const GROUP_TIME: Duration = Duration::from_millis(5);

/// Operations waiting for their turn. More would only wait longer: their callers wait in line instead.
const QUEUE: usize = 1024;

/// The callers' side of the thread. Dropping it lets the waiting operations end and closes the database.
pub(crate) struct Committer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    durability: Durability,
    run: Box<dyn FnOnce(&mut Transaction<'_>) -> Answer + Send>,
}

/// Tells the caller how its operation ended, once it is known what became of the group.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

impl Committer {
    /// Starts the thread. When that fails every operation is answered `Unavailable`.
    pub(crate) fn start<M: OrderedMap>(shared: Arc<Shared<M>>, open: Opener<M>) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let work = Work {
            shared,
            open,
            reopening: None,
            start: None,
        };
        let thread = thread::Builder::new()
            .name("metadata-commit".to_owned())
            .spawn(move || work.run(waiting));
        if let Err(error) = &thread {
            tracing::error!(%error, "cannot start the metadata committer");
        }
        Self {
            jobs: Some(jobs),
            thread: thread.ok(),
        }
    }

    /// Runs an operation and waits until its changes are as durable as asked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        durability: Durability,
        operation: impl FnOnce(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, answer) = oneshot::channel();
        let run = move |transaction: &mut Transaction<'_>| -> Answer {
            let outcome = operation(transaction);
            if outcome.is_err() {
                transaction.undo();
            }
            Box::new(move |written| {
                // The caller may have gone; the change stands all the same.
                let _ = sender.send(written.and(outcome));
            })
        };
        let job = Job {
            durability,
            run: Box::new(run),
        };
        let jobs = self.jobs.as_ref().ok_or_else(unanswered)?;
        jobs.send(job).await.map_err(|_| unanswered())?;
        answer.await.unwrap_or_else(|_| Err(unanswered()))
    }
}

fn unanswered() -> MetadataError {
    MetadataError::Unavailable(
        "the operation was not run: the store is closed, reopening or at fault".to_owned(),
    )
}

impl fmt::Debug for Committer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Committer").finish_non_exhaustive()
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic outside an operation was logged by its hook.
            let _ = thread.join();
        }
    }
}

struct Work<M> {
    shared: Arc<Shared<M>>,
    open: Opener<M>,
    reopening: Option<Reopening>,
    start: Option<Start>,
}

/// Which opening of the database this is.
#[derive(Clone, Copy)]
struct Start {
    number: u64,
    /// Whether it survives power loss that the number is taken.
    is_taken: bool,
}

#[derive(Default)]
struct Group {
    changes: Changes,
    is_synced: bool,
    uses_start: bool,
    answers: Vec<Answer>,
}

impl<M: OrderedMap> Work<M> {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(first) = waiting.blocking_recv() {
            // Without a database the job is dropped, which answers it.
            let Some(map) = self.shared.map_to_change() else {
                continue;
            };
            let start = match self.start(&*map) {
                Ok(start) => start,
                Err(error) => {
                    drop(map);
                    self.reopen(&error);
                    continue;
                }
            };
            let mut group = self.collect(&*map, start, first, &mut waiting);
            if group.uses_start && !start.is_taken {
                take_start(&mut group, start);
            }
            let written = write(&*map, &group);
            if written.is_ok() {
                self.shared.queues.note(&group.changes);
                self.start = Some(Start {
                    is_taken: start.is_taken || group.uses_start,
                    ..start
                });
            }
            drop(map);
            if let Err(error) = &written {
                self.reopen(error);
            }
            for answer in group.answers {
                answer(written.clone());
            }
        }
    }

    fn start(&self, map: &M) -> Result<Start> {
        if let Some(start) = self.start {
            return Ok(start);
        }
        let number = store::next_start(&View::committed(map), self.shared.now())?;
        Ok(Start {
            number,
            is_taken: false,
        })
    }

    fn collect(&self, map: &M, start: Start, first: Job, waiting: &mut mpsc::Receiver<Job>) -> Group {
        let started = Instant::now();
        let mut group = Group::default();
        let mut next = Some(first);
        while let Some(job) = next {
            self.add(map, start, job, &mut group);
            let is_full = group.answers.len() >= GROUP_OPERATIONS
                || group.changes.bytes() >= GROUP_BYTES
                || started.elapsed() >= GROUP_TIME;
            if is_full {
                break;
            }
            next = waiting.try_recv().ok();
        }
        group
    }

    fn add(&self, map: &M, start: Start, job: Job, group: &mut Group) {
        let view = View::with_overlay(map, &group.changes);
        let mut transaction = Transaction::new(view, self.shared.now(), self.shared.timing(), start.number);
        let Job { durability, run } = job;
        // A panicking operation loses its own changes and its caller's answer, nothing else.
        match catch_unwind(AssertUnwindSafe(|| run(&mut transaction))) {
            Ok(answer) => {
                group.uses_start |= transaction.uses_start();
                let changes = transaction.into_changes();
                group.is_synced |= durability == Durability::Synced && !changes.is_empty();
                group.changes.append(changes);
                group.answers.push(answer);
            }
            Err(panic) => tracing::error!(panic = message(&*panic), "a metadata operation panicked"),
        }
    }

    fn reopen(&mut self, error: &MetadataError) {
        tracing::error!(%error, "a metadata write failed: reopening the database");
        self.shared.stop();
        self.start = None;
        self.reopening = Some(Reopening::start(Arc::clone(&self.shared), self.open.clone()));
    }
}

/// Adds to a group that its start number is taken: every name that is made of it is new, also after a loss of power that
/// undoes the operations of the group.
fn take_start(group: &mut Group, start: Start) {
    let row = StartRow(start.number);
    group.changes.set(keys::start(), Some(row.encode()));
    group.is_synced = true;
}

fn write<M: OrderedMap>(map: &M, group: &Group) -> Result<()> {
    if group.changes.is_empty() {
        return Ok(());
    }
    let durability = if group.is_synced {
        Durability::Synced
    } else {
        Durability::Written
    };
    let written = catch_unwind(AssertUnwindSafe(|| {
        reach("commit.before_batch")?;
        map.write(&group.changes, durability)?;
        reach("commit.after_batch")
    }));
    let written = written.unwrap_or_else(|panic| Err(MetadataError::Corrupt(message(&*panic).to_owned())));
    // What became of the group is not known, whatever the database says.
    written.map_err(|error| MetadataError::Unavailable(error.to_string()))
}

#[inline(always)]
fn reach(place: &'static str) -> Result<()> {
    zas_failpoints::reach(place).map_err(|error| MetadataError::Unavailable(error.to_string()))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic without a message")
}
