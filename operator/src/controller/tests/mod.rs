//! The controller as a whole against an API server in memory, on a clock that a test need not wait for.

mod api_server;
mod definition;
mod interrupted;
mod referred;
mod unanswered;
mod unreachable;
mod unseen;

use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use api_server::{ApiServer, NAMESPACE};

const STORES: &str = "zotartifactstores";

/// On the clock of the test.
const POLL: Duration = Duration::from_millis(100);

/// A controller that runs, and its API server.
struct Stage {
    server: ApiServer,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    controller: JoinHandle<anyhow::Result<()>>,
}

impl Stage {
    fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// The same with an API server that is prepared first.
    fn start_with(prepare: impl FnOnce(&ApiServer)) -> Self {
        let (server, metrics, stop) = (
            ApiServer::default(),
            Arc::<Metrics>::default(),
            CancellationToken::new(),
        );
        prepare(&server);
        let arguments = ["operator", "--watch-namespace", NAMESPACE, "--no-leader-election"];
        let arguments = Arguments::parse_from(arguments);
        let (client, counted, stopped) = (server.client(), Arc::clone(&metrics), stop.clone());
        let controller =
            tokio::spawn(async move { run(client, &arguments, counted, Arc::default(), stopped).await });
        Self {
            server,
            metrics,
            stop,
            controller,
        }
    }

    /// Creates a store or changes its specification.
    #[expect(clippy::needless_pass_by_value, reason = "a literal")]
    fn store(&self, name: &str, spec: Value) {
        let object = json!({"apiVersion": zas_crd::API_VERSION, "kind": zas_crd::KIND, "spec": spec});
        self.server.put(STORES, name, &object);
    }

    /// The value of one of the metrics, with its labels; 0 when it has not been counted.
    fn number(&self, name: &str) -> u64 {
        let text = self.metrics.encode();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Reason and message of a condition.
    fn condition(&self, store: &str, kind: &str) -> Option<(String, String)> {
        let store = self.server.get(STORES, store)?;
        let conditions = store["status"]["conditions"].as_array()?.clone();
        let condition = conditions
            .into_iter()
            .find(|condition| condition["type"] == kind)?;
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        Some((text("reason"), text("message")))
    }

    fn exists(&self, plural: &str, name: &str) -> bool {
        self.server.get(plural, name).is_some()
    }

    /// Asks the controller to end, which it must.
    async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(120), self.controller).await;
        ended.expect("it ends").unwrap().unwrap();
    }
}

/// Waits until something is the case, on the clock of the test. How long that took.
async fn until(what: &str, limit: Duration, is: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(POLL).await;
    }
    start.elapsed()
}
