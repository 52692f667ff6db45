//! The tables in tests/cases, through the schema, its rules and the typed checks that the operator uses.

#![expect(clippy::expect_used, reason = "what stands around the tests is part of them")]

mod support;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use zas_crd::{Storage, ZotArtifactStore};

use support::grammar::Grammar;
use support::{cases, object, typed_verdict, verdict};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    rule: Option<String>,
    #[serde(default = "store")]
    metadata_name: String,
    spec: Value,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Update {
    name: String,
    old: Value,
    new: Value,
    message: Option<String>,
}

fn store() -> String {
    "store".to_owned()
}

fn typed(object: &Value) -> Option<ZotArtifactStore> {
    serde_json::from_value(object.clone()).ok()
}

#[test]
fn given_valid_specs_when_they_are_created_then_schema_rules_and_types_accept_them() {
    let cases: Vec<Case> = cases("accepted.yaml");
    for case in &cases {
        let object = object(&case.metadata_name, &case.spec);
        assert_eq!(verdict(&object, None), Ok(()), "{}", case.name);
        let typed = typed(&object).unwrap_or_else(|| panic!("{}: the types do not take it", case.name));
        assert_eq!(typed_verdict(&typed, None), Ok(()), "{}", case.name);
    }
    assert!(cases.len() >= 25, "only {} cases", cases.len());
}

#[test]
fn given_invalid_specs_when_they_are_created_then_the_message_says_what_to_change() {
    let cases: Vec<Case> = cases("rejected.yaml");
    for case in &cases {
        let message = case.message.as_deref().unwrap();
        let refusal = verdict(&object(&case.metadata_name, &case.spec), None).expect_err(&case.name);
        assert!(refusal.contains(message), "{}: {refusal}", case.name);
    }
    assert!(cases.len() >= 45, "only {} cases", cases.len());
}

#[test]
fn given_specs_that_break_a_rule_when_the_operator_checks_them_itself_then_it_refuses_them_too() {
    let mut checked = 0;
    for case in cases::<Case>("rejected.yaml") {
        let object = object(&case.metadata_name, &case.spec);
        let Some(typed) = typed(&object) else { continue };
        // What only the schema refuses never reaches the operator.
        let structural = verdict(&object, None).unwrap_err();
        if ["in body", "Duplicate", "Too many", "unknown field"]
            .iter()
            .any(|word| structural.contains(word))
        {
            continue;
        }
        let refusal = typed_verdict(&typed, None).expect_err(&case.name);
        assert!(
            refusal.contains(case.message.as_deref().unwrap()),
            "{}: {refusal}",
            case.name
        );
        checked += 1;
    }
    assert!(checked >= 30, "only {checked} cases");
}

#[test]
fn given_the_rules_of_the_contract_when_the_table_is_read_then_each_has_a_case() {
    let mut rules: BTreeSet<String> = cases::<Case>("rejected.yaml")
        .into_iter()
        .filter_map(|case| case.rule)
        .collect();
    rules.retain(|rule| rule.starts_with('C'));
    let expected = ["C0", "C1", "C2", "C3", "C5", "C6", "C7", "C8", "C9", "C10", "C11"];
    assert_eq!(rules, expected.map(str::to_owned).into());
}

#[test]
fn given_every_rule_message_when_the_tables_are_read_then_each_is_provoked() {
    let mut provoked = String::new();
    for case in cases::<Case>("rejected.yaml") {
        provoked += &verdict(&object(&case.metadata_name, &case.spec), None).unwrap_err();
    }
    for case in cases::<Grammar>("messages.yaml") {
        for text in &case.wrong {
            provoked += &verdict(&object("store", &case.stating(text)), None).unwrap_err();
        }
    }
    for case in cases::<Update>("updates.yaml") {
        let old = object("store", &case.old);
        provoked += &verdict(&object("store", &case.new), Some(&old))
            .err()
            .unwrap_or_default();
    }
    let mut messages = Vec::new();
    collect_messages(&zas_crd::definition::schema().unwrap(), &mut messages);
    // Their enum has one value yet, so that no object can break them: see the tests below.
    messages.retain(|message| {
        !message.contains("Store.type is immutable") && !message.contains("storage.type is immutable")
    });
    assert!(messages.len() >= 20, "{messages:?}");
    for message in messages {
        assert!(provoked.contains(&message), "no case provokes: {message}");
    }
}

fn collect_messages(schema: &Value, messages: &mut Vec<String>) {
    for rule in schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten()
    {
        // A message that is computed begins with a text.
        let computed = rule["messageExpression"]
            .as_str()
            .and_then(|text| text.split('\'').nth(1));
        messages.push(
            rule["message"]
                .as_str()
                .or(computed)
                .expect("a rule without a message")
                .to_owned(),
        );
    }
    match schema {
        Value::Object(members) => members
            .values()
            .for_each(|member| collect_messages(member, messages)),
        Value::Array(members) => members
            .iter()
            .for_each(|member| collect_messages(member, messages)),
        _ => {}
    }
}

#[test]
fn given_two_specs_when_one_replaces_the_other_then_the_verdict_is_that_of_the_table() {
    let cases: Vec<Update> = cases("updates.yaml");
    for case in &cases {
        let (old, new) = (object("store", &case.old), object("store", &case.new));
        assert_eq!(verdict(&old, None), Ok(()), "{}: the old spec", case.name);
        match (&case.message, verdict(&new, Some(&old))) {
            (None, verdict) => assert_eq!(verdict, Ok(()), "{}", case.name),
            (Some(message), Ok(())) => panic!("{}: accepted, expected {message}", case.name),
            (Some(message), Err(refusal)) => assert!(refusal.contains(message), "{}: {refusal}", case.name),
        }
        let (Some(old), Some(new)) = (typed(&old), typed(&new)) else {
            continue;
        };
        assert_eq!(
            typed_verdict(&new, Some(&old)).is_err(),
            case.message.is_some(),
            "{}: the typed check",
            case.name
        );
    }
    assert!(cases.len() >= 25, "only {} cases", cases.len());
}

#[test]
fn given_an_immutable_field_when_it_is_changed_removed_or_added_then_each_has_a_case() {
    let names: Vec<String> = cases::<Update>("updates.yaml")
        .into_iter()
        .map(|case| case.name)
        .collect();
    for field in [
        "storage type",
        "metadata store type",
        "access mode",
        "storage class",
        "existing claim",
    ] {
        for change in ["changed", "removed", "added"] {
            let start = format!("{field} {change}");
            assert!(
                names.iter().any(|name| name.starts_with(&start)),
                "no case {start}"
            );
        }
    }
}

#[test]
fn given_a_storage_type_of_a_later_version_when_it_is_changed_then_the_rule_refuses_it() {
    let (files, later) = (json!({ "type": "Filesystem" }), json!({ "type": "S3" }));
    let refusal = Storage::validate_cel(&later, Some(&files))
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("storage.type is immutable"), "{refusal}");
    assert!(Storage::validate_cel(&files, Some(&files)).is_ok());
}

#[test]
fn given_a_metadata_store_of_a_later_version_when_it_is_changed_then_the_rule_refuses_it() {
    let (embedded, later) = (json!({ "type": "RocksDB" }), json!({ "type": "PostgreSQL" }));
    let refusal = zas_crd::MetadataStore::validate_cel(&later, Some(&embedded))
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("metadataStore.type is immutable"), "{refusal}");
    assert!(zas_crd::MetadataStore::validate_cel(&embedded, Some(&embedded)).is_ok());
}
