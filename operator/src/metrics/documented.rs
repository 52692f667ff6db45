//! What the registry says about its metrics, read out of its own text.

use std::collections::BTreeSet;

/// A metric as documentation needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentedMetric {
    /// The name, as queries need it.
    pub name: String,
    /// The type, in the words of OpenMetrics.
    pub kind: String,
    /// The names of its labels.
    pub labels: BTreeSet<String>,
    /// What it means.
    pub meaning: String,
}

/// Every metric of a text in OpenMetrics that has a series, in the order of the text.
pub(super) fn metrics_in(text: &str) -> Vec<DocumentedMetric> {
    let mut metrics: Vec<DocumentedMetric> = Vec::new();
    for line in text.lines() {
        if let Some((name, meaning)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            metrics.push(DocumentedMetric {
                name: name.to_owned(),
                kind: String::new(),
                labels: BTreeSet::new(),
                meaning: meaning.trim_end_matches('.').to_owned(),
            });
        }
        let Some(metric) = metrics.last_mut() else {
            continue;
        };
        if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kind.clone_into(&mut metric.kind);
            metric.name.push_str(suffix(kind));
        } else if let Some((_, rest)) = line.split_once('{').filter(|_| !line.starts_with('#')) {
            let labels = rest
                .split(',')
                .filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()));
            // The buckets of a histogram are no label that anybody chose.
            metric.labels.extend(labels.filter(|label| label != "le"));
        }
    }
    metrics
}

/// What the text format adds to the name.
fn suffix(kind: &str) -> &'static str {
    match kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn given_the_registry_when_documented_then_names_types_labels_and_meanings_are_told() {
        let all = Metrics::documented();
        let found = |name: &str| all.iter().find(|metric| metric.name == name).unwrap().clone();
        let writes = found("zas_operator_writes_total");
        assert_eq!(writes.kind, "counter");
        assert_eq!(writes.labels.into_iter().collect::<Vec<_>>(), ["kind", "verb"]);
        assert_eq!(found("zas_operator_queue_depth").kind, "gauge");
        assert_eq!(
            found("zas_operator_reconcile_duration_seconds").labels,
            BTreeSet::new()
        );
        assert!(found("zas_operator_build_info").labels.contains("version"));
        assert!(
            all.iter()
                .all(|metric| !metric.meaning.is_empty() && !metric.kind.is_empty())
        );
    }

    #[test]
    fn given_the_source_when_its_registrations_are_counted_then_none_is_left_out() {
        let registrations = include_str!("../metrics.rs")
            .matches("registry.register(")
            .count();
        assert_eq!(
            Metrics::documented().len(),
            registrations,
            "give it a series in Metrics::documented"
        );
    }
}
