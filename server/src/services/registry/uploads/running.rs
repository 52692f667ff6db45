//! Which uploads are being written in this process, so that each has one writer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use zas_core::UploadId;

/// The table of running writers.
#[derive(Debug, Default)]
pub(in super::super) struct RunningUploads(Mutex<HashMap<UploadId, Running>>);

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    ended: CancellationToken,
}

/// The right to write an upload; the next writer waits until it is dropped.
#[derive(Debug)]
pub(super) struct RunningGuard {
    table: Arc<RunningUploads>,
    id: UploadId,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl RunningUploads {
    /// Tells the present writer to stop, waits for its end and takes its place.
    pub(super) async fn take_over(self: &Arc<Self>, id: UploadId) -> RunningGuard {
        loop {
            let predecessor = {
                let mut running = self.lock();
                match running.get(&id) {
                    None => {
                        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
                        running.insert(
                            id,
                            Running {
                                stop: stop.clone(),
                                ended: ended.clone(),
                            },
                        );
                        return RunningGuard {
                            table: Arc::clone(self),
                            id,
                            stop,
                            ended,
                        };
                    }
                    Some(predecessor) => {
                        predecessor.stop.cancel();
                        predecessor.ended.clone()
                    }
                }
            };
            predecessor.cancelled().await;
        }
    }

    /// Whether the upload is being written.
    pub(in super::super) fn contains(&self, id: UploadId) -> bool {
        self.lock().contains_key(&id)
    }

    /// How many uploads are being written.
    pub(in super::super) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningGuard {
    /// Fires when another request wants to continue the upload.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.table.lock().remove(&self.id);
        self.ended.cancel();
    }
}

#[cfg(test)]
mod tests {
    use zas_core::Timestamp;

    use super::*;

    #[tokio::test]
    async fn given_a_running_writer_when_a_successor_comes_then_it_waits_for_the_end() {
        // Given
        let table = Arc::new(RunningUploads::default());
        let id = UploadId::new(Timestamp::from_millis(1), &[0; 10]);
        let first = table.take_over(id).await;

        // When
        let successor = tokio::spawn({
            let table = Arc::clone(&table);
            async move { table.take_over(id).await }
        });
        first.stop().cancelled().await;

        // Then
        assert!(!successor.is_finished());
        assert_eq!(table.count(), 1);
        drop(first);
        let second = successor.await.unwrap();
        assert!(!second.stop().is_cancelled());
        drop(second);
        assert_eq!(table.count(), 0);
    }
}
