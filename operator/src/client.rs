//! The connection to the API server.

use std::time::Duration;

use kube::client::ClientBuilder;
use kube::client::retry::RetryPolicy;
use kube::{Client, Config};
use tower::buffer::BufferLayer;
use tower::retry::RetryLayer;

/// Requests that may wait for their turn.
const BUFFER: usize = 1024;

/// The first and the longest pause before a refused request is tried again, and how often it is.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const RETRIES: u32 = 4;

/// A client that tries again a few times when the server is busy, and never for minutes: a look at a store must end.
///
/// # Errors
/// When the configuration of the cluster cannot be found or used.
pub async fn connect() -> anyhow::Result<Client> {
    let mut config = Config::infer().await?;
    config.default_retry = false;
    config.read_timeout = Some(Duration::from_secs(295));
    let policy = RetryPolicy::new(FIRST_PAUSE, LONGEST_PAUSE, RETRIES, true)?;
    // A retried request is cloned, which takes the buffer behind it.
    let builder = ClientBuilder::try_from(config)?
        .with_layer(&BufferLayer::new(BUFFER))
        .with_layer(&RetryLayer::new(policy));
    Ok(builder.build())
}
