//! The log's way out of the process, on a thread of its own.
//!
//! Whoever reads the log may stall: a pipe is full, a terminal is paused, a disk hangs. Requests must not notice. So a
//! line is put into a bounded buffer, which never waits, and a thread writes what is in there. Lines that find no room
//! are dropped, counted, and told in the log as soon as it goes on.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes that wait to be written: about 10,000 lines of the access log.
const CAPACITY: usize = 4 * 1024 * 1024;

/// Warnings and errors find room when everything else does not.
const RESERVE: usize = CAPACITY / 4;

/// A buffer larger than this is given back once it is written.
const KEPT_BUFFER: usize = 256 * 1024;

/// Pause before a reader that takes nothing at the moment is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// How long the first of some lines waits for others. Each writing takes a wake-up of the thread and a call of the system,
/// which for every line of a busy registry is a good part of what its request costs.
const GATHERING: Duration = Duration::from_millis(1);

/// Takes lines without ever waiting for their reader. Clones share everything.
#[derive(Clone, Debug)]
pub(super) struct LogWriter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write.
    filled: Condvar,
    /// Everything is written.
    drained: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    lines: Vec<u8>,
    /// Lines dropped since the log told so last.
    untold: u64,
    is_writing: bool,
}

impl LogWriter {
    /// Starts the thread that writes to `output`. When lines were dropped it calls `tell` with their number, as soon
    /// as `output` takes bytes again.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(output: impl Write + Send + 'static, tell: fn(u64)) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let writing = Arc::clone(&shared);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writing.write_all(output, tell))?;
        Ok(Self(shared))
    }

    /// How many lines were dropped since the start.
    pub(super) fn dropped_lines(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything is written, at most for `limit`; `false` when that was not long enough.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut queue = self.0.lock();
        while queue.is_writing || !queue.lines.is_empty() || queue.untold > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.drained.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Shared {
    fn add(&self, line: &[u8], room: usize) {
        let mut queue = self.lock();
        if queue.lines.len() + line.len() > room {
            queue.untold += 1;
            drop(queue);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // A thread that writes looks again before it rests.
        let is_resting = queue.lines.is_empty() && !queue.is_writing;
        queue.lines.extend_from_slice(line);
        drop(queue);
        if is_resting {
            self.filled.notify_one();
        }
    }

    fn write_all(&self, mut output: impl Write, tell: fn(u64)) {
        let mut lines = Vec::new();
        loop {
            let untold = self.take(&mut lines);
            if let Err(lost) = write(&mut output, &lines) {
                self.dropped.fetch_add(lost, Ordering::Relaxed);
            }
            lines.clear();
            lines.shrink_to(KEPT_BUFFER);
            if untold > 0 {
                tell(untold);
            }
        }
    }

    /// Waits for lines and exchanges them for the empty buffer; returns how many were dropped behind them.
    fn take(&self, buffer: &mut Vec<u8>) -> u64 {
        let mut queue = self.lock();
        queue.is_writing = false;
        while queue.lines.is_empty() && queue.untold == 0 {
            self.drained.notify_all();
            queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.is_writing = true;
        drop(queue);
        thread::sleep(GATHERING);
        queue = self.lock();
        std::mem::swap(&mut queue.lines, buffer);
        std::mem::take(&mut queue.untold)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes all of `lines`, waiting as long as it takes; an error is the number of lines that were lost.
fn write(output: &mut impl Write, lines: &[u8]) -> Result<(), u64> {
    let mut rest = lines;
    while !rest.is_empty() {
        match output.write(rest) {
            Ok(0) => return Err(count_lines(rest)),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Standard error is shared with other programs, and one of them may have made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_PAUSE),
            Err(_) => return Err(count_lines(rest)),
        }
    }
    Ok(())
}

fn count_lines(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Takes one line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    shared: &'a Shared,
    room: usize,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.shared.add(line, self.room);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            shared: &self.0,
            room: CAPACITY - RESERVE,
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        let is_grave = *metadata.level() <= Level::WARN;
        Line {
            shared: &self.0,
            room: if is_grave { CAPACITY } else { CAPACITY - RESERVE },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const SOON: Duration = Duration::from_secs(60);

    /// Takes bytes only while it is let.
    struct Reader {
        let_go: Receiver<()>,
        seen: Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // When nobody holds it any more it takes everything.
            let _ = self.let_go.recv();
            let _ = self.seen.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn stalled(tell: fn(u64)) -> (LogWriter, Sender<()>, Receiver<Vec<u8>>) {
        let (go, let_go) = channel();
        let (seen, written) = channel();
        (
            LogWriter::start(Reader { let_go, seen }, tell).unwrap(),
            go,
            written,
        )
    }

    fn text(written: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(written.try_iter().flatten().collect()).unwrap()
    }

    #[test]
    fn given_a_reader_that_stalls_when_lines_come_then_nobody_waits_and_the_dropped_are_counted_and_told() {
        // Given
        static TOLD: AtomicU64 = AtomicU64::new(0);
        let (log, go, written) = stalled(|lines| {
            TOLD.fetch_add(lines, Ordering::Relaxed);
        });
        let subscriber = tracing_subscriber::registry().with(
            fmt::layer()
                .without_time()
                .with_target(false)
                .with_writer(log.clone()),
        );
        let line = "x".repeat(1000);

        // When: without a thread of its own this would never end.
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2 * CAPACITY / line.len() {
                tracing::info!("{line}");
            }
            tracing::error!("grave");
        });

        // Then
        let dropped = log.dropped_lines();
        assert!(dropped as usize > CAPACITY / line.len(), "{dropped} dropped");
        assert!(!log.flush(Duration::ZERO));
        drop(go);
        assert!(log.flush(SOON));
        let text = text(&written);
        let kept = text.lines().filter(|line| line.contains("INFO")).count();
        assert_eq!(kept as u64 + dropped, (2 * CAPACITY / line.len()) as u64);
        assert!(text.ends_with("grave\n"), "errors find room");
        assert_eq!(TOLD.load(Ordering::Relaxed), dropped);
        assert_eq!(log.dropped_lines(), dropped);
    }

    #[test]
    fn given_lines_one_soon_after_the_other_when_written_then_many_at_a_time() {
        struct Counted(Sender<usize>);
        impl Write for Counted {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.0.send(bytes.len());
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (sender, written) = channel();
        let log = LogWriter::start(Counted(sender), |_| {}).unwrap();
        let begun = Instant::now();
        for number in 1..=200 {
            log.make_writer().write_all(b"line\n").unwrap();
            while begun.elapsed() < number * Duration::from_micros(50) {
                std::hint::spin_loop();
            }
        }
        let milliseconds = begun.elapsed().as_millis() as usize;
        assert!(log.flush(SOON));
        let writes: Vec<usize> = written.try_iter().collect();
        assert_eq!(writes.iter().sum::<usize>(), 200 * "line\n".len());
        assert!(
            writes.len() <= milliseconds + 2,
            "{} writes in {milliseconds} ms",
            writes.len()
        );
    }

    #[test]
    fn given_a_reader_that_is_gone_when_lines_come_then_they_are_counted_and_the_log_goes_on() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let log = LogWriter::start(Gone, |_| {}).unwrap();
        for lines in [&b"one\n"[..], b"two\nthree\n"] {
            log.make_writer().write_all(lines).unwrap();
            assert!(log.flush(SOON));
        }
        assert_eq!(log.dropped_lines(), 3);
    }

    #[test]
    fn given_a_reader_that_takes_little_at_a_time_when_written_then_every_byte_arrives_in_order() {
        struct Slow(Sender<u8>, u32);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 += 1;
                match self.1 % 3 {
                    0 => Err(io::ErrorKind::Interrupted.into()),
                    1 => Err(io::ErrorKind::WouldBlock.into()),
                    _ => {
                        let _ = self.0.send(bytes[0]);
                        Ok(1)
                    }
                }
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (sender, written) = channel();
        let log = LogWriter::start(Slow(sender, 0), |_| {}).unwrap();
        log.make_writer().write_all(b"one\n").unwrap();
        log.make_writer().write_all(b"two\n").unwrap();
        assert!(log.flush(SOON));
        assert_eq!(written.try_iter().collect::<Vec<_>>(), b"one\ntwo\n");
    }
}
