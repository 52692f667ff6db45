//! The objects that the operator makes: their kinds, what is seen of them, and what was last applied.

mod facts;
mod kind;
mod ledger;
mod observations;
mod observed;

pub use facts::{ClaimFacts, DeploymentFacts, Facts, IngressFacts, RouteFacts, ServiceFacts};
pub use kind::{ChildKind, Watched};
pub use ledger::{Application, Ledger};
pub use observations::Observations;
pub use observed::{ChildKey, Observed, StoreKey};

#[cfg(test)]
mod tests;
