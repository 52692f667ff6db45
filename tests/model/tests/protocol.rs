//! Every state of every scenario, with all rules and without each.

use std::path::Path;

use zas_protocol_model::exploration::{explore, shortest_breach};
use zas_protocol_model::proofs::{KNOWN_LIMIT, NOT_NEEDED, need};
use zas_protocol_model::properties::{BACKED, CLEAN, NAMED, PROGRESS, PROMISED, REFERENCED, SENTENCES};
use zas_protocol_model::rules::{ALL, Rule, Rules};
use zas_protocol_model::witness::{self, Event, Witness};
use zas_protocol_model::{page, scenario};

/// No scenario is so small that it has fewer states: if it does, something cannot happen any more.
const FEWEST_STATES: usize = 2_000;
/// All of them together.
const FEWEST_STATES_TOGETHER: usize = 150_000;

#[test]
fn given_all_rules_when_every_state_is_visited_then_every_property_holds_and_everything_happens() {
    // Given
    let witness: &'static Witness = Box::leak(Box::default());
    let mut together = 0;

    // When
    for world in scenario::ALL {
        let explored = explore(world, Rules::ALL, witness);

        // Then
        assert!(
            explored.broken.is_empty(),
            "{}: {:?}",
            world.name,
            explored.broken
        );
        assert!(
            explored.states >= FEWEST_STATES,
            "{}: {}",
            world.name,
            explored.states
        );
        together += explored.states;
    }
    assert!(together >= FEWEST_STATES_TOGETHER, "{together} states");
    let unseen: Vec<Event> = witness::ALL
        .into_iter()
        .filter(|event| !witness.saw(*event))
        .collect();
    assert!(unseen.is_empty(), "never happened: {unseen:?}");
}

#[test]
fn given_one_rule_less_when_states_are_visited_then_the_property_that_needs_it_breaks() {
    for rule in ALL {
        // Given
        let (world, property) = need(rule);

        // When
        let way = shortest_breach(world, Rules::without(rule), property);

        // Then
        let way = way.unwrap_or_else(|| panic!("{rule:?} is not needed for {property} in {}", world.name));
        assert!(way.len() > 1, "{rule:?}: {way:?}");
    }
}

#[test]
fn given_a_rule_that_is_called_needless_when_it_is_left_out_then_nothing_breaks() {
    assert!(page::holds_without(NOT_NEEDED), "{NOT_NEEDED:?} is needed");
}

/// A claim dooms what its predecessor is writing, so a predecessor that may still finish refers to bytes that go: nearly
/// everything stands on this rule.
#[test]
fn given_no_epochs_when_uploads_expire_then_progress_and_what_a_claim_has_doomed_are_lost() {
    let rules = Rules::without(Rule::EpochIsRequired);
    let broken: Vec<_> = SENTENCES
        .iter()
        .map(|(property, _)| *property)
        .filter(|property| shortest_breach(scenario::EXPIRY, rules, property).is_some())
        .collect();
    assert_eq!(broken, [REFERENCED, PROMISED, BACKED, NAMED, CLEAN, PROGRESS]);
}

#[test]
fn given_two_pushers_of_a_digest_when_an_answer_is_lost_then_only_the_known_limit_breaks() {
    let (world, property) = KNOWN_LIMIT;
    let explored = explore(world, Rules::ALL, Box::leak(Box::default()));
    assert_eq!(explored.broken, [property]);
}

#[test]
fn given_the_committed_page_when_written_again_then_it_is_the_same() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(page::PLACE);
    let committed = std::fs::read_to_string(place).expect("the page is committed");
    let written = page::page().expect("every property holds or breaks as it should");
    assert!(
        committed == written,
        "docs/PROTOCOL_MODEL.md is old: run cargo run -p zas-protocol-model -- --write"
    );
}
