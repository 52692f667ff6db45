//! One replica works; the others wait until it stops.

use std::sync::Arc;
use std::time::Duration;

use kube_lease_manager::LeaseManagerBuilder;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::arguments::Arguments;
use crate::client;
use crate::fence::Fence;
use crate::metrics::Metrics;

/// How long before the end of its lease the leader renews it, as a part of the lease's duration.
const GRACE_SHARE: u16 = 3;

/// Leadership. Dropping it gives the lease back.
#[derive(Debug)]
pub struct Leadership {
    fence: Fence,
    state: Option<watch::Receiver<bool>>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Leadership {
    /// The fence between this replica and the cluster until it has the lease.
    pub fn fence(arguments: &Arguments) -> Fence {
        if arguments.no_leader_election {
            return Fence::unneeded();
        }
        Fence::needed(Duration::from_secs(u64::from(arguments.lease_duration)))
    }

    /// Waits for the lease, which opens the fence.
    ///
    /// # Errors
    /// When the lease cannot be read or written at all.
    pub async fn acquire(fence: Fence, arguments: &Arguments, metrics: &Metrics) -> anyhow::Result<Self> {
        if arguments.no_leader_election {
            metrics.set_leader(true);
            return Ok(Self {
                fence,
                state: None,
                task: None,
            });
        }
        let (name, duration) = (&arguments.lease_name, u64::from(arguments.lease_duration));
        let grace = grace_seconds(arguments);
        let client = client::connect_for_lease(&fence, Duration::from_secs(grace)).await?;
        let manager = LeaseManagerBuilder::new(client, name)
            .with_namespace(&arguments.namespace)
            .with_identity(&arguments.pod_name)
            .with_duration(duration)
            .with_grace(grace)
            .build()
            .await
            .map_err(|error| {
                anyhow::anyhow!("cannot use the lease {name} in {}: {error}", arguments.namespace)
            })?;
        let (mut state, task) = manager.watch().await;
        let task = tokio::spawn(async move {
            if let Ok(Err(error)) = task.await {
                tracing::error!(%error, "the lease cannot be kept");
            }
        });
        tracing::info!(
            lease = name,
            identity = arguments.pod_name,
            "waiting for the lease"
        );
        state.wait_for(|leads| *leads).await?;
        tracing::info!("this replica is the leader");
        metrics.set_leader(true);
        Ok(Self {
            fence,
            state: Some(state),
            task: Some(task),
        })
    }

    /// Fires `stop` when the lease is lost: another replica may be at work then.
    pub fn stop_when_lost(&self, stop: CancellationToken, metrics: Arc<Metrics>) {
        let Some(mut state) = self.state.clone() else {
            return;
        };
        let fence = self.fence.clone();
        tokio::spawn(async move {
            tokio::select! {
                // An error means that the task that renews the lease has ended.
                _ = state.wait_for(|leads| !*leads) => {
                    fence.close();
                    tracing::error!("the lease is lost: this replica stops");
                }
                () = stop.cancelled() => {}
            }
            metrics.set_leader(false);
            stop.cancel();
        });
    }

    /// Gives the lease back, so that a successor need not wait for its end.
    pub async fn release(self) {
        self.fence.close();
        drop(self.state);
        if let Some(task) = self.task {
            // Releasing is a courtesy: the lease ends by itself.
            let _ = tokio::time::timeout(Duration::from_secs(3), task).await;
        }
    }
}

/// How long before its end the lease is renewed, which is also how long a renewal may take.
fn grace_seconds(arguments: &Arguments) -> u64 {
    u64::from((arguments.lease_duration / GRACE_SHARE).max(1))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn given_any_lease_when_a_renewal_hangs_then_it_is_given_up_before_the_lease_ends() {
        for duration in ["5", "15", "300"] {
            let arguments = Arguments::parse_from(["operator", "--lease-duration", duration]);
            let grace = grace_seconds(&arguments);
            assert!(
                grace > 0 && grace <= u64::from(arguments.lease_duration) / 3,
                "{duration}"
            );
        }
    }
}
