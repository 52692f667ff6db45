//! Where the log goes and how much of it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io;
use std::panic::PanicHookInfo;
use std::time::Duration;

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{Handle, Layer};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt};
use zas_config::{Log, LogFormat};

use super::AppError;
use super::json_line::JsonLine;
use super::log_writer::LogWriter;
use crate::services::metrics::Reading;

/// How long the process waits at its end for somebody to read the log.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// The log that was started.
#[derive(Clone, Debug)]
pub(super) struct Logging {
    level: Handle<EnvFilter, Registry>,
    writer: LogWriter,
}

/// Starts logging to standard error.
pub(super) fn start(log: &Log) -> Result<Logging, AppError> {
    let (filter, level) = Layer::new(filter(log));
    let writer = LogWriter::start(io::stderr(), tell_dropped).map_err(AppError::Logging)?;
    let registry = tracing_subscriber::registry().with(filter);
    // Fails only when logging was started already, as several servers in one test process do.
    let _ = match log.format {
        LogFormat::Json => registry
            .with(fmt::layer().event_format(JsonLine).with_writer(writer.clone()))
            .try_init(),
        LogFormat::Text => registry
            .with(fmt::layer().compact().with_writer(writer.clone()))
            .try_init(),
    };
    // The hook of the standard library writes to standard error itself, and waits for its reader.
    std::panic::set_hook(Box::new(tell_panic));
    Ok(Logging { level, writer })
}

impl Logging {
    pub(super) fn change_level(&self, log: &Log) {
        // Fails only when the subscriber is gone, and with it whoever would read the log.
        let _ = self.level.reload(filter(log));
    }

    /// What the metrics say about the log.
    pub(super) fn readings(&self) -> Vec<Reading> {
        let writer = self.writer.clone();
        vec![Reading::counter(
            "log_dropped_lines",
            "Lines of the log that were dropped because their reader was too slow or gone",
            move || writer.dropped_lines(),
        )]
    }

    /// Lets the reader of the log have the last lines, unless it stalls.
    pub(super) fn flush(&self) {
        self.writer.flush(FLUSH_LIMIT);
    }
}

fn filter(log: &Log) -> EnvFilter {
    EnvFilter::new(log.level.as_str())
}

fn tell_dropped(lines: u64) {
    tracing::warn!(
        lines,
        "lines of the log were dropped here: whoever reads it was slower than they came"
    );
}

fn tell_panic(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let backtrace = Backtrace::capture();
    tracing::error!(
        reason = panic.payload_as_str().unwrap_or("panic without a message"),
        at = panic.location().map(tracing::field::display),
        thread = thread.name(),
        backtrace =
            (backtrace.status() == BacktraceStatus::Captured).then(|| tracing::field::display(&backtrace)),
        "a thread panicked: this is a defect, report it with this line"
    );
}
