//! Running the checker.

use stateright::{Checker, HasDiscoveries, Model};

use crate::protocol::{Action, Protocol};
use crate::rules::Rules;
use crate::scenario::Scenario;
use crate::state::State;
use crate::story::tell;
use crate::witness::Witness;

/// The end of a search through all states.
#[derive(Debug)]
pub struct Explored {
    /// Different states.
    pub states: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    /// The properties that were broken.
    pub broken: Vec<&'static str>,
}

/// The steps to the first state that breaks a property, each with the state before it.
pub(crate) type Trace = Vec<(State, Action)>;

/// Goes through all states of a scenario.
pub fn explore(scenario: Scenario, rules: Rules, witness: &'static Witness) -> Explored {
    let protocol = Protocol {
        rules,
        scenario,
        only: None,
        witness,
    };
    let checker = protocol
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let mut broken: Vec<_> = checker.discoveries().into_keys().collect();
    broken.sort_unstable();
    Explored {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken,
    }
}

/// Looks for the shortest way to break one property and tells it in words, a step each.
///
/// The search is by breadth in one thread, so it always finds the same.
pub fn shortest_breach(scenario: Scenario, rules: Rules, property: &'static str) -> Option<Vec<String>> {
    let protocol = || Protocol {
        rules,
        scenario,
        only: Some(property),
        witness: Box::leak(Box::default()),
    };
    let checker = protocol().checker().spawn_bfs().join();
    let path = checker.discovery(property)?;
    let steps = path.into_vec().into_iter();
    let trace: Trace = steps
        .filter_map(|(state, action)| action.map(|action| (state, action)))
        .collect();
    Some(tell(&protocol(), &trace))
}
