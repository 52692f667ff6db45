//! Numbers that live where they are used and are read when somebody asks for the metrics.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// One metric, read on demand. Reading must not wait for anything.
#[derive(Clone)]
pub struct Reading {
    name: &'static str,
    help: &'static str,
    is_counter: bool,
    /// The name of the label that tells the values apart; empty for the only value of a metric without labels.
    label: &'static str,
    read: Arc<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>,
}

impl Reading {
    /// A number that only grows while the process runs. Its name gets the suffix `_total`.
    pub fn counter(
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        Self {
            is_counter: true,
            ..Self::gauge(name, help, read)
        }
    }

    /// A number that goes up and down.
    pub fn gauge(
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        Self::gauges(name, help, "", move || vec![("", read())])
    }

    /// Numbers that go up and down, told apart by the values of `label`.
    pub fn gauges(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn() -> Vec<(&'static str, u64)> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            help,
            is_counter: false,
            label,
            read: Arc::new(read),
        }
    }

    /// Numbers that only grow while the process runs, told apart by the values of `label`. The name gets the suffix
    /// `_total`.
    pub fn counters(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn() -> Vec<(&'static str, u64)> + Send + Sync + 'static,
    ) -> Self {
        Self {
            is_counter: true,
            ..Self::gauges(name, help, label, read)
        }
    }

    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let kind = if self.is_counter {
            ConstCounter::new(0_u64).metric_type()
        } else {
            ConstGauge::new(0_i64).metric_type()
        };
        let help = format!("{}.", self.help);
        let mut metric = encoder.encode_descriptor(self.name, &help, None, kind)?;
        for (value, number) in (self.read)() {
            if self.label.is_empty() {
                self.encode_number(&mut metric, number)?;
            } else {
                let labels = [(self.label, value)];
                self.encode_number(&mut metric.encode_family(&labels)?, number)?;
            }
        }
        Ok(())
    }

    fn encode_number(&self, metric: &mut MetricEncoder<'_>, number: u64) -> fmt::Result {
        if self.is_counter {
            metric.encode_counter::<NoLabelSet, _, u64>(&number, None)
        } else {
            metric.encode_gauge(&i64::try_from(number).unwrap_or(i64::MAX))
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reading")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// All readings. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Readings(Arc<Mutex<Vec<Reading>>>);

impl Readings {
    pub(super) fn add(&self, readings: Vec<Reading>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(readings);
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // Read outside of the lock: whoever reads may take locks of its own.
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.iter().try_for_each(|reading| reading.encode(&mut encoder))
    }
}
