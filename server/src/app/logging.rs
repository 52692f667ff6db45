//! Where the log goes and how much of it.

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{Handle, Layer};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt};
use zas_config::{Log, LogFormat};

use super::json_line::JsonLine;

/// Changes the level while running.
#[derive(Clone, Debug)]
pub(super) struct LogLevel(Handle<EnvFilter, Registry>);

/// Starts logging to standard error.
pub(super) fn start(log: &Log) -> LogLevel {
    let (filter, handle) = Layer::new(filter(log));
    let registry = tracing_subscriber::registry().with(filter);
    // Fails only when logging was started already, as several servers in one test process do.
    let _ = match log.format {
        LogFormat::Json => registry
            .with(fmt::layer().event_format(JsonLine).with_writer(std::io::stderr))
            .try_init(),
        LogFormat::Text => registry
            .with(fmt::layer().compact().with_writer(std::io::stderr))
            .try_init(),
    };
    LogLevel(handle)
}

impl LogLevel {
    pub(super) fn change(&self, log: &Log) {
        // Fails only when the subscriber is gone, and with it whoever would read the log.
        let _ = self.0.reload(filter(log));
    }
}

fn filter(log: &Log) -> EnvFilter {
    EnvFilter::new(log.level.as_str())
}
