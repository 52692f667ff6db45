//! What the Prometheus operator scrapes.

use serde_json::json;

use super::{COMPONENT_LABEL, METRICS_COMPONENT, OPERATIONS_PORT_NAME, Prepared, labels_with, metadata};
use crate::children::ChildKind;
use crate::labels;
use crate::store::ResolvedStore;

const INTERVAL: &str = "30s";

/// The ServiceMonitor.
pub(crate) fn build(store: &ResolvedStore) -> Prepared {
    let settings = &store.spec.monitoring.service_monitor;
    let mut metadata = metadata(store, store.names.store(), Some(store.owner()));
    metadata.labels = Some(labels_with(store, &settings.labels));
    let mut selector = labels::selector(&store.key.name);
    selector.insert(COMPONENT_LABEL.to_owned(), METRICS_COMPONENT.to_owned());
    let interval = settings.interval.as_ref().and_then(|span| span.canonical().ok());
    let monitor = json!({
        "metadata": metadata,
        "spec": {
            "selector": { "matchLabels": selector },
            "namespaceSelector": { "matchNames": [store.key.namespace] },
            "endpoints": [{
                "port": OPERATIONS_PORT_NAME,
                "path": "/metrics",
                "interval": interval.as_deref().unwrap_or(INTERVAL),
            }],
        },
    });
    Prepared::new(ChildKind::ServiceMonitor, &monitor)
}

/// Whether Prometheus is told to scrape the store.
pub(crate) fn is_scraped(store: &ResolvedStore) -> bool {
    store.spec.monitoring.service_monitor.enabled
        && store.spec.extensions.metrics.enabled
        && store.platform.has(ChildKind::ServiceMonitor)
}
