//! The connection to the API server.

use std::time::Duration;

use kube::client::ClientBuilder;
use kube::client::retry::RetryPolicy;
use kube::{Client, Config};
use tower::buffer::BufferLayer;
use tower::retry::RetryLayer;

use crate::fence::Fence;

/// Requests that may wait for their turn.
const BUFFER: usize = 1024;

/// The first and the longest pause before a refused request is tried again, and how often it is.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const RETRIES: u32 = 4;

/// A client that writes while the fence lets it. It tries again a few times when the server is busy, and never for
/// minutes: a look at a store must end.
///
/// # Errors
/// When the configuration of the cluster cannot be found or used.
pub async fn connect(fence: &Fence) -> anyhow::Result<Client> {
    let policy = RetryPolicy::new(FIRST_PAUSE, LONGEST_PAUSE, RETRIES, true)?;
    // A retried request is cloned, which takes the buffer behind it, and asks the fence again.
    let builder = ClientBuilder::try_from(configuration().await?)?
        .with_layer(&fence.guard())
        .with_layer(&BufferLayer::new(BUFFER))
        .with_layer(&RetryLayer::new(policy));
    Ok(builder.build())
}

/// A client for the lease alone, with a connection of its own: nothing that a look at a store does holds a renewal up.
///
/// # Errors
/// As for [`connect`].
pub async fn connect_for_lease(fence: &Fence) -> anyhow::Result<Client> {
    let builder = ClientBuilder::try_from(configuration().await?)?.with_layer(&fence.witness());
    Ok(builder.build())
}

async fn configuration() -> anyhow::Result<Config> {
    let mut configuration = Config::infer().await?;
    configuration.default_retry = false;
    configuration.read_timeout = Some(Duration::from_secs(295));
    Ok(configuration)
}
