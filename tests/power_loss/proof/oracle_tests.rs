use super::*;

fn tag() -> Fact {
    Fact::tag("a", "latest")
}

fn to(digest: &str) -> FactValue {
    Some(digest.to_owned())
}

fn seen(oracle: &Oracle, record: u64) -> BTreeSet<FactValue> {
    oracle.at(record).keys.get(&tag()).cloned().unwrap_or_default()
}

#[test]
fn given_an_operation_when_the_record_ends_before_its_answer_then_it_may_be_there_or_not() {
    let mut oracle = Oracle::default();
    let ticket = oracle.send(&[(tag(), to("1"))], 10);
    oracle.acknowledge(ticket, 20);
    assert_eq!(seen(&oracle, 9), BTreeSet::new());
    assert_eq!(seen(&oracle, 19), BTreeSet::from([None, to("1")]));
    assert_eq!(seen(&oracle, 20), BTreeSet::from([to("1")]));
    assert_eq!(oracle.at(19).pending.len(), 1);
    assert_eq!(oracle.at(20).acknowledged, 1);
}

#[test]
fn given_operations_one_after_the_other_when_both_are_answered_then_the_last_one_counts() {
    let mut oracle = Oracle::default();
    let first = oracle.send(&[(tag(), to("1"))], 10);
    oracle.acknowledge(first, 20);
    let second = oracle.send(&[(tag(), None)], 20);
    oracle.acknowledge(second, 30);
    assert_eq!(seen(&oracle, 25), BTreeSet::from([to("1"), None]));
    assert_eq!(seen(&oracle, 30), BTreeSet::from([None]));
}

#[test]
fn given_operations_at_the_same_time_when_both_are_answered_then_either_may_be_the_last() {
    let mut oracle = Oracle::default();
    let first = oracle.send(&[(tag(), to("1"))], 10);
    let second = oracle.send(&[(tag(), to("2"))], 10);
    oracle.acknowledge(second, 30);
    oracle.acknowledge(first, 40);
    assert_eq!(seen(&oracle, 30), BTreeSet::from([to("1"), to("2")]));
    assert_eq!(seen(&oracle, 40), BTreeSet::from([to("1"), to("2")]));
}

#[test]
fn given_an_operation_without_an_answer_when_another_was_answered_meanwhile_then_their_key_tells_nothing_of_it()
 {
    let mut oracle = Oracle::default();
    let only = Fact::manifest("a", "1");
    oracle.send(&[(tag(), to("1")), (only.clone(), to("1"))], 10);
    let second = oracle.send(&[(tag(), to("2"))], 10);
    oracle.acknowledge(second, 30);
    let pending = oracle.at(30).pending;
    assert_eq!(pending, [vec![(only, to("1"), BTreeSet::from([None]))]]);
}
