//! Opening the database again after a failed write, with growing pauses. Until then it is open for reading, if it can
//! be: a disk that is full or has become read-only keeps nobody from pulling. Changes are answered `Unavailable`.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::OpenError;
use crate::ordered_map::OrderedMap;
use crate::shared::Shared;

type Open<M> = Arc<dyn Fn() -> Result<M, OpenError> + Send + Sync>;

/// Opens the database at its place.
pub(crate) struct Opener<M> {
    to_write: Open<M>,
    to_read: Open<M>,
}

impl<M> Opener<M> {
    /// Opens in these two ways; what is open to read is never written to, and may be open beside the other.
    pub(crate) fn new(
        to_write: impl Fn() -> Result<M, OpenError> + Send + Sync + 'static,
        to_read: impl Fn() -> Result<M, OpenError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            to_write: Arc::new(to_write),
            to_read: Arc::new(to_read),
        }
    }
}

#[cfg(test)]
impl<M> Opener<M> {
    /// Opens in this way or not at all.
    pub(crate) fn of(to_write: impl Fn() -> Result<M, OpenError> + Send + Sync + 'static) -> Self {
        Self::new(to_write, || {
            Err(OpenError::Failed("it cannot be read either".to_owned()))
        })
    }
}

impl<M> Clone for Opener<M> {
    fn clone(&self) -> Self {
        Self {
            to_write: Arc::clone(&self.to_write),
            to_read: Arc::clone(&self.to_read),
        }
    }
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// The thread that tries. Dropping this ends it.
#[derive(Debug)]
pub(crate) struct Reopening {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Reopening {
    /// Tries until the database is open or this is dropped.
    pub(crate) fn start<M: OrderedMap>(shared: Arc<Shared<M>>, open: Opener<M>) -> Self {
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            let (mut pause, mut is_readable) = (SHORTEST_PAUSE, false);
            // The first pause gives readers of the old database time to let go of it.
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                match (open.to_write)() {
                    Ok(map) => {
                        tracing::info!("the metadata database is open again");
                        return shared.resume(map);
                    }
                    Err(error) => tracing::warn!(%error, "cannot reopen the metadata database yet"),
                }
                if !is_readable && let Ok(map) = (open.to_read)() {
                    tracing::warn!("the metadata database can be read, but not changed");
                    shared.resume_reading(map);
                    is_readable = true;
                }
                pause = (pause * 2).min(MAX_PAUSE);
            }
        };
        let thread = thread::Builder::new()
            .name("metadata-reopen".to_owned())
            .spawn(work);
        if let Err(error) = &thread {
            tracing::error!(%error, "cannot reopen the metadata database: restart the server");
        }
        Self {
            stop: Some(stop),
            thread: thread.ok(),
        }
    }
}

impl Drop for Reopening {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
