//! Whether the configuration is in force as it was written.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::services::{ConfigurationPart, ConfigurationProblems};

/// Counts the problems of each part when it is asked.
#[derive(Debug)]
pub(super) struct ConfigurationCollector(pub(super) Arc<ConfigurationProblems>);

impl Collector for ConfigurationCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauges = encoder.encode_descriptor(
            "configuration_problems",
            "What keeps a part of the configuration from being in force as it was written",
            None,
            MetricType::Gauge,
        )?;
        for part in ConfigurationPart::ALL {
            let count = i64::try_from(self.0.count(part)).unwrap_or(i64::MAX);
            let labels = [("part", part.as_str())];
            ConstGauge::new(count).encode(gauges.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
