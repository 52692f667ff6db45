//! How long things take, counted by many threads without a lock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds in seconds, from half a millisecond to about half a minute; what takes longer has a place of its own.
const BOUNDS: [f64; 13] = bounds();

#[expect(
    clippy::indexing_slicing,
    reason = "computed by the compiler, which would say so"
)]
const fn bounds() -> [f64; 13] {
    let mut bounds = [0.0005; 13];
    let mut next = 1;
    while next < bounds.len() {
        bounds[next] = bounds[next - 1] * 2.5;
        next += 1;
    }
    bounds
}

/// A histogram of durations. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Latency(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// By upper bound, and above all bounds.
    durations: [AtomicU64; BOUNDS.len() + 1],
    /// All durations together. Enough for five centuries.
    nanoseconds: AtomicU64,
}

impl Latency {
    /// Counts something that took so long.
    pub(super) fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let place = BOUNDS.partition_point(|bound| *bound < seconds);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.0.durations.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.0.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl EncodeMetric for Latency {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
        let counts = self.0.durations.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let sum = Duration::from_nanos(self.0.nanoseconds.load(Ordering::Relaxed)).as_secs_f64();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Latency {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn given_durations_when_encoded_then_each_is_counted_below_its_bounds() {
        let (mut registry, latency) = (Registry::default(), Latency::default());
        registry.register("wait", "Waiting", latency.clone());
        for milliseconds in [0, 1, 2, 100_000] {
            latency.observe(Duration::from_millis(milliseconds));
        }
        latency.observe(Duration::from_micros(500));

        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "wait_sum 100.0035",
            "wait_count 5",
            r#"wait_bucket{le="0.0005"} 2"#,
            r#"wait_bucket{le="0.00125"} 3"#,
            r#"wait_bucket{le="0.003125"} 4"#,
            r#"wait_bucket{le="29.802322387695314"} 4"#,
            r#"wait_bucket{le="+Inf"} 5"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
