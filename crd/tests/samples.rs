//! The samples are valid, and the full one leaves nothing out.

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use zas_crd::ZotArtifactStore;

use support::{read_yaml, root, verdict};

/// Fields that exclude others of the full sample; there they stand as comments.
const EXCLUDED: [&str; 5] = [
    "spec.dataVolume.existingClaim",
    "spec.access.accessControl.configMapRef",
    "spec.access.accessControl.configMapRef.name",
    "spec.access.accessControl.configMapRef.key",
    "spec.serviceAccount.name",
];

fn sample(name: &str) -> Value {
    read_yaml(&root().join("config/samples").join(name))
}

#[test]
fn given_the_samples_when_they_are_applied_then_they_are_accepted() {
    for name in ["zotartifactstore_minimal.yaml", "zotartifactstore_full.yaml"] {
        let sample = sample(name);
        assert_eq!(verdict(&sample, None), Ok(()), "{name}");
        let typed: ZotArtifactStore = serde_json::from_value(sample).unwrap();
        assert!(typed.validate_cel().is_ok(), "{name}");
    }
}

#[test]
fn given_the_full_sample_when_it_is_read_as_types_and_written_then_nothing_is_lost() {
    let sample = sample("zotartifactstore_full.yaml");
    let typed: ZotArtifactStore = serde_json::from_value(sample.clone()).unwrap();
    let written = serde_json::to_value(typed).unwrap();
    let mut lost = Vec::new();
    missing(&sample["spec"], &written["spec"], "spec", &mut lost);
    // An empty list says the same as none.
    lost.retain(|path| !path.ends_with("anonymousActions"));
    assert!(lost.is_empty(), "{lost:?}");
}

fn missing(stated: &Value, written: &Value, path: &str, lost: &mut Vec<String>) {
    match stated {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, member)| missing(member, &written[name], &format!("{path}.{name}"), lost));
        }
        Value::Array(items) if !items.is_empty() => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| missing(item, &written[at], &format!("{path}[{at}]"), lost));
        }
        _ if stated != written => lost.push(path.to_owned()),
        _ => {}
    }
}

#[test]
fn given_every_field_of_the_schema_when_the_full_sample_is_read_then_it_states_each() {
    let schema = zas_crd::definition::schema().unwrap();
    let sample = sample("zotartifactstore_full.yaml");
    let (mut known, mut stated) = (BTreeSet::new(), BTreeSet::new());
    fields(&schema["properties"]["spec"], "spec", &mut known);
    paths(&sample["spec"], "spec", &mut stated);
    let absent: Vec<_> = known
        .iter()
        .filter(|path| !stated.contains(*path) && !EXCLUDED.contains(&path.as_str()))
        .collect();
    assert!(known.len() > 120, "only {} fields", known.len());
    assert!(absent.is_empty(), "the sample lacks {absent:?}");
}

/// Fields with a description: types of Kubernetes have none inside.
fn fields(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if property["description"].is_string() {
            let path = format!("{path}.{name}");
            found.insert(path.clone());
            fields(property, &path, found);
            fields(&property["items"], &path, found);
        }
    }
}

fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, member)| paths(member, &format!("{path}.{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, path, found)),
        _ => {}
    }
}
