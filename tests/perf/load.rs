//! Puts load on a server: a number of clients, each with its own connection, on as few threads as possible.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use futures_util::stream::{FuturesUnordered, TryStreamExt};

use crate::connection::Connection;
use crate::target::Address;

/// How much load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Connections, each with one request at a time.
    pub(crate) clients: usize,
    /// Threads of this tool that serve them.
    pub(crate) threads: usize,
    /// The most operations.
    pub(crate) count: u64,
    /// No operation starts later than this.
    pub(crate) time: Duration,
}

/// What one run gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// Finished operations.
    pub(crate) operations: u64,
    /// Bytes of content they moved.
    pub(crate) bytes: u64,
    /// From the first start to the last end.
    pub(crate) elapsed: Duration,
    /// Time of each operation, sorted.
    pub(crate) latencies: Vec<Duration>,
}

impl Sample {
    /// The latency that this share of the operations did not exceed.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        self.latencies
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }

    fn add(&mut self, bytes: u64, latency: Duration) {
        self.operations += 1;
        self.bytes += bytes;
        self.latencies.push(latency);
    }

    fn merge(&mut self, other: Self) {
        self.operations += other.operations;
        self.bytes += other.bytes;
        self.elapsed = self.elapsed.max(other.elapsed);
        self.latencies.extend(other.latencies);
    }
}

/// Runs `operation` with the numbers `0..count` until they or the time are used up; it returns how many bytes of
/// content it moved. Connections are made before the clock starts.
///
/// # Errors
/// The first failed operation ends the run: a server that answers wrongly has no speed.
pub(crate) fn drive<F>(load: Load, address: &Address, operation: F) -> Result<Sample>
where
    F: AsyncFn(&mut Connection, u64) -> Result<u64> + Sync,
{
    run(load, Duration::ZERO, address, operation)
}

/// As [`drive`], but operation `n` begins `n` pauses after the start, as from clients that know nothing of each other.
/// One that begins late because all clients were busy has waited, and that counts.
pub(crate) fn drive_paced<F>(load: Load, pause: Duration, address: &Address, operation: F) -> Result<Sample>
where
    F: AsyncFn(&mut Connection, u64) -> Result<u64> + Sync,
{
    run(load, pause, address, operation)
}

fn run<F>(load: Load, pause: Duration, address: &Address, operation: F) -> Result<Sample>
where
    F: AsyncFn(&mut Connection, u64) -> Result<u64> + Sync,
{
    let pace = Pace { load, pause };
    let next = AtomicU64::new(0);
    let start_line = Barrier::new(load.threads);
    let mut sample = Sample::default();
    std::thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> = (0..load.threads)
            .map(|thread| {
                let clients = (thread..load.clients).step_by(load.threads).count();
                let (next, start_line, operation) = (&next, &start_line, &operation);
                scope.spawn(move || serve_clients(pace, clients, address, next, start_line, operation))
            })
            .collect();
        for thread in threads {
            sample.merge(thread.join().map_err(|_| anyhow!("a load thread panicked"))??);
        }
        Ok(())
    })?;
    sample.latencies.sort_unstable();
    Ok(sample)
}

/// A load and how far apart its operations begin.
#[derive(Clone, Copy, Debug)]
struct Pace {
    load: Load,
    pause: Duration,
}

impl Pace {
    /// Waits for the turn of an operation, and tells when it began: when it should have, if that is past.
    async fn begin(self, start: Instant, index: u64) -> Instant {
        if self.pause.is_zero() {
            return Instant::now();
        }
        let turn = start + self.pause.mul_f64(index as f64);
        if turn <= Instant::now() {
            return turn;
        }
        tokio::time::sleep_until(turn.into()).await;
        Instant::now()
    }
}

fn serve_clients<F>(
    pace: Pace,
    clients: usize,
    address: &Address,
    next: &AtomicU64,
    start_line: &Barrier,
    operation: &F,
) -> Result<Sample>
where
    F: AsyncFn(&mut Connection, u64) -> Result<u64> + Sync,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting a runtime")?;
    let connections = runtime.block_on(open_all(address, clients));
    // Everybody reaches the line, also who could not connect: the others would wait for ever.
    start_line.wait();
    let connections = connections?;
    let start = Instant::now();
    runtime.block_on(async {
        let runs: FuturesUnordered<_> = connections
            .into_iter()
            .map(|connection| run_client(pace, connection, start, next, operation))
            .collect();
        runs.try_fold(Sample::default(), async |mut all, one| {
            all.merge(one);
            Ok(all)
        })
        .await
    })
}

async fn open_all(address: &Address, clients: usize) -> Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(clients);
    for _ in 0..clients {
        connections.push(Connection::open(address).await?);
    }
    Ok(connections)
}

async fn run_client<F>(
    pace: Pace,
    mut connection: Connection,
    start: Instant,
    next: &AtomicU64,
    operation: &F,
) -> Result<Sample>
where
    F: AsyncFn(&mut Connection, u64) -> Result<u64> + Sync,
{
    let mut sample = Sample::default();
    while start.elapsed() < pace.load.time {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= pace.load.count {
            break;
        }
        let begun = pace.begin(start, index).await;
        let bytes = operation(&mut connection, index).await?;
        sample.add(bytes, begun.elapsed());
    }
    sample.elapsed = start.elapsed();
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn given_a_pace_when_an_operation_is_early_or_late_then_it_waits_or_has_waited() {
        let load = Load {
            clients: 1,
            threads: 1,
            count: 1,
            time: Duration::MAX,
        };
        let pause = Duration::from_millis(20);
        let start = Instant::now();
        let early = Pace { load, pause }.begin(start, 1).await;
        assert!(early >= start + pause);
        assert_eq!(Pace { load, pause }.begin(start, 0).await, start);
    }

    #[test]
    fn given_a_hundred_latencies_when_asked_then_percentiles_are_exact() {
        let latencies = (1..=100).map(Duration::from_millis).collect();
        let sample = Sample {
            operations: 100,
            latencies,
            ..Sample::default()
        };
        assert_eq!(sample.percentile(0.5), Duration::from_millis(50));
        assert_eq!(sample.percentile(0.99), Duration::from_millis(99));
        assert_eq!(Sample::default().percentile(0.5), Duration::ZERO);
    }
}
