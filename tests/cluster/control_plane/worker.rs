//! The operator of a test.

use std::net::SocketAddr;
use std::time::Duration;

use zas_cluster_tests::{ControlPlane, Credentials, Operator, OperatorBuilder, eventually};

/// A running operator and where it tells its numbers.
#[derive(Debug)]
pub(crate) struct Worker {
    operator: Operator,
    address: SocketAddr,
}

impl Worker {
    /// Starts an operator with a listener of its own, and waits until it answers as ready.
    pub(crate) fn start(
        control_plane: &ControlPlane,
        who: &Credentials,
        adjust: impl FnOnce(OperatorBuilder) -> OperatorBuilder,
    ) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], Operator::free_port()));
        let builder = Operator::builder(control_plane, who)
            .environment("HEALTH_ADDRESS", address.to_string())
            .environment("LOG_FORMAT", "text")
            .ready_at(address, "/readyz");
        Self {
            operator: adjust(builder).start(),
            address,
        }
    }

    pub(crate) fn into_operator(self) -> Operator {
        self.operator
    }

    /// Ends it like `kill -9`.
    pub(crate) fn kill(self) {
        self.operator.kill();
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(self) {
        self.operator.stop();
    }

    /// One of its numbers; 0 when it has not been counted yet.
    pub(crate) fn number(&self, name: &str) -> f64 {
        let (code, text) = self.operator.get(self.address, "/metrics").expect("it answers");
        assert_eq!(code, 200);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.trim().parse().expect("numbers are numbers"))
    }

    /// How often it has looked at a store.
    pub(crate) fn looks(&self) -> f64 {
        self.number("zas_operator_reconciles_total")
    }

    /// Waits until it has looked more than `before` times and is idle.
    pub(crate) async fn looks_again(&self, before: f64) {
        eventually("the operator looks again", Duration::from_secs(30), async || {
            let is_idle = self.number("zas_operator_reconciles_running") == 0.0;
            (is_idle && self.looks() > before).then_some(())
        })
        .await;
    }
}
