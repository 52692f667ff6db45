//! Opening the database again after a failed write, with growing pauses, while everything else is answered
//! `Unavailable`.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::OpenError;
use crate::ordered_map::OrderedMap;
use crate::shared::Shared;

/// Opens the database at its place.
pub(crate) type Opener<M> = Arc<dyn Fn() -> Result<M, OpenError> + Send + Sync>;

const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

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
            let mut pause = SHORTEST_PAUSE;
            // The first pause gives readers of the old database time to let go of it.
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                match open() {
                    Ok(map) => {
                        tracing::info!("the metadata database is open again");
                        return shared.resume(map);
                    }
                    Err(error) => tracing::warn!(%error, "cannot reopen the metadata database yet"),
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
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
