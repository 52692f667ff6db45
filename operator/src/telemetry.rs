//! Logs: one line per thing that happened, JSON by default. Never Secrets' content.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::arguments::{Arguments, LogFormat};

/// Starts logging to standard error.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(arguments: &Arguments) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&arguments.log_level).map_err(|error| {
        anyhow::anyhow!(
            "--log-level {:?} cannot be understood: {error}",
            arguments.log_level
        )
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match arguments.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).init(),
        LogFormat::Text => lines.init(),
    }
    Ok(())
}
