//! A share of the threads of the runtime for one kind of work.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinError;

/// So many threads, and a line in front of them: first come, first served.
#[derive(Debug)]
pub struct Pool {
    name: &'static str,
    threads: usize,
    free: Semaphore,
    waiting: AtomicUsize,
}

impl Pool {
    /// A pool of so many threads, which are taken from the runtime while they work.
    pub const fn new(name: &'static str, threads: usize) -> Self {
        Self {
            name,
            threads,
            free: Semaphore::const_new(threads),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Works on a thread that may block. Dropping the future ends the waiting in line, but not the work.
    ///
    /// # Errors
    /// Only when the work panics or the runtime stops.
    pub async fn run<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let turn = self.turn().await;
        #[expect(clippy::disallowed_methods, reason = "this is where it is bounded")]
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        working.await
    }

    /// What the pool is called in metrics.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How many threads work at most.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// How many threads work now.
    pub fn running(&self) -> usize {
        self.threads.saturating_sub(self.free.available_permits())
    }

    /// How much work waits for a thread now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// `None` would stand for a closed pool, which does not exist.
    async fn turn(&'static self) -> Option<SemaphorePermit<'static>> {
        if let Ok(turn) = self.free.try_acquire() {
            return Some(turn);
        }
        let _place = Place::take(&self.waiting);
        self.free.acquire().await.ok()
    }
}

/// A place in line, until it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn given_a_pool_whose_threads_hang_when_others_work_then_they_do_not_wait_and_the_line_is_counted()
    {
        static SLOW: Pool = Pool::new("slow", 2);
        static OTHER: Pool = Pool::new("other", 1);
        // Given
        let (free, hanging) = mpsc::channel::<()>();
        let hanging = std::sync::Arc::new(std::sync::Mutex::new(hanging));
        let hang = || {
            let hanging = std::sync::Arc::clone(&hanging);
            tokio::spawn(SLOW.run(move || {
                let _ = hanging.lock().unwrap().recv();
            }))
        };
        let hung = [hang(), hang(), hang()];
        while SLOW.waiting() < 1 || SLOW.running() < 2 {
            tokio::task::yield_now().await;
        }
        let given_up = tokio::spawn(SLOW.run(|| panic!("nobody waits for it")));
        while SLOW.waiting() < 2 {
            tokio::task::yield_now().await;
        }

        // When
        assert_eq!(OTHER.run(|| 7).await.unwrap(), 7);
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());

        // Then
        assert_eq!((SLOW.running(), SLOW.waiting()), (2, 1));
        drop(free);
        for work in hung {
            work.await.unwrap().unwrap();
        }
        assert_eq!((SLOW.running(), SLOW.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn given_work_that_panics_when_run_then_its_thread_is_free_again() {
        static POOL: Pool = Pool::new("one", 1);
        assert!(POOL.run(|| panic!("at work")).await.unwrap_err().is_panic());
        POOL.run(|| ()).await.unwrap();
    }
}
