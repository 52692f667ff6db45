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
const MAX_PAUSE: Duration = Duration::from_secs(5);
const RETRIES: u32 = 4;

/// A client that writes while the fence lets it. It tries again a few times when the server is busy, and never for
/// minutes: a look at a store must end.
///
/// # Errors
/// When the configuration of the cluster cannot be found or used.
pub async fn connect(fence: &Fence) -> anyhow::Result<Client> {
    let policy = RetryPolicy::new(FIRST_PAUSE, MAX_PAUSE, RETRIES, true)?;
    // A retried request is cloned, which takes the buffer behind it, and asks the fence again.
    let builder = ClientBuilder::try_from(configuration().await?)?
        .with_layer(&fence.guard())
        .with_layer(&BufferLayer::new(BUFFER))
        .with_layer(&RetryLayer::new(policy));
    Ok(builder.build())
}

/// A client for the lease alone, with a connection of its own: nothing that a reconciliation does holds a renewal up.
/// A request that is not answered within `patience` fails.
///
/// # Errors
/// As for [`connect`].
pub async fn connect_for_lease(fence: &Fence, patience: Duration) -> anyhow::Result<Client> {
    let configuration = impatient(configuration().await?, patience);
    let builder = ClientBuilder::try_from(configuration)?.with_layer(&fence.witness());
    Ok(builder.build())
}

/// A request for the lease that hangs is given up after `patience`, while there is time for another one: a watch may
/// be silent for minutes, a renewal may not.
fn impatient(mut configuration: Config, patience: Duration) -> Config {
    configuration.connect_timeout = Some(patience);
    configuration.read_timeout = Some(patience);
    configuration.write_timeout = Some(patience);
    configuration
}

async fn configuration() -> anyhow::Result<Config> {
    let mut configuration = Config::infer().await?;
    configuration.default_retry = false;
    configuration.read_timeout = Some(Duration::from_secs(295));
    Ok(configuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_client_of_the_lease_when_a_request_hangs_then_it_is_given_up_before_the_lease_ends() {
        let patience = Duration::from_secs(5);
        let configuration = impatient(
            Config::new(http::Uri::from_static("https://kubernetes.default")),
            patience,
        );
        for timeout in [
            configuration.connect_timeout,
            configuration.read_timeout,
            configuration.write_timeout,
        ] {
            assert_eq!(timeout, Some(patience));
        }
    }
}
