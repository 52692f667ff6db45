//! The numbers of one operation of a store.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use prometheus_client::metrics::counter::Counter;

use super::latency::Latency;
use super::{OperationLabels, ServerMetrics};

/// One operation of a store, whose numbers are looked up by their labels once and not with every call.
#[derive(Debug)]
pub(super) struct Operation {
    metrics: Arc<ServerMetrics>,
    labels: OperationLabels,
    numbers: OnceLock<Numbers>,
}

#[derive(Debug)]
struct Numbers {
    calls: Counter,
    seconds: Latency,
}

impl Operation {
    /// An operation that shows up among the metrics with its first call.
    pub(super) fn new(metrics: &Arc<ServerMetrics>, store: &'static str, operation: &'static str) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            labels: OperationLabels { store, operation },
            numbers: OnceLock::new(),
        }
    }

    /// Runs the operation and counts it.
    pub(super) async fn measure<T, E>(&self, running: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let started = Instant::now();
        let result = running.await;
        let numbers = self.numbers.get_or_init(|| Numbers {
            calls: self.metrics.operations.get_or_create_owned(&self.labels),
            seconds: self.metrics.operation_seconds.get_or_create_owned(&self.labels),
        });
        numbers.calls.inc();
        numbers.seconds.observe(started.elapsed());
        if result.is_err() {
            self.metrics.operation_errors.get_or_create(&self.labels).inc();
        }
        result
    }
}
