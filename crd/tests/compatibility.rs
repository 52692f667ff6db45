//! Objects that were accepted stay acceptable: the schema is compared with its earlier versions in the history.

mod narrowing;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use narrowing::narrowings;

const FILE: &str = "config/crd/zotartifactstore_crd.yaml";
/// How many earlier versions of the file are compared.
const DEPTH: &str = "3";

/// Narrowings that were decided, with a reason; possible only while no release has the field.
const ACCEPTED: [(&str, &str); 7] = [
    (
        ".spec.exposure.service.loadBalancerSourceRanges[]: the grammar",
        NETWORKS,
    ),
    (".spec.http.trustedProxies[]: the grammar", NETWORKS),
    (
        ".spec.image.reference: the grammar",
        "an address with // is no image",
    ),
    (".spec.limits.uploadExpiry: the grammar", DURATIONS),
    (
        ".spec.maintenance.garbageCollection.grace: the grammar",
        DURATIONS,
    ),
    (
        ".spec.maintenance.garbageCollection.interval: the grammar",
        DURATIONS,
    ),
    (".spec.monitoring.serviceMonitor.interval: the grammar", DURATIONS),
];
const NETWORKS: &str = "the list had the rule that each entry has now";
const DURATIONS: &str = "more digits were beyond the longest duration allowed";

fn git(arguments: &[&str]) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The schema of the file as a commit has it.
fn schema_at(commit: &str) -> Option<Value> {
    let text = git(&["show", &format!("{commit}:{FILE}")])?;
    let definition: Value = serde_saphyr::from_str(&text).ok()?;
    definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema")
        .cloned()
}

#[test]
fn given_earlier_versions_in_the_history_when_they_are_compared_then_nothing_was_narrowed() {
    let commits = git(&["rev-list", "-n", DEPTH, "HEAD", "--", FILE]).unwrap_or_default();
    let earlier: Vec<_> = commits
        .lines()
        .filter_map(|commit| Some((commit, schema_at(commit)?)))
        .collect();
    if earlier.is_empty() {
        eprintln!("no earlier version of {FILE}: the history is not here, nothing was compared");
    }
    let new = zas_crd::definition::schema().unwrap();
    for (commit, old) in earlier {
        let mut found = narrowings(&old, &new);
        found.retain(|narrowing| {
            !ACCEPTED
                .iter()
                .any(|(accepted, _)| narrowing.starts_with(accepted))
        });
        assert!(found.is_empty(), "narrower than at {commit}: {found:#?}");
    }
}

#[test]
fn given_the_schema_itself_when_it_is_compared_then_nothing_is_narrower() {
    let schema = zas_crd::definition::schema().unwrap();
    assert_eq!(narrowings(&schema, &schema), Vec::<String>::new());
}

#[test]
fn given_a_narrower_schema_when_it_is_compared_then_each_narrowing_is_found() {
    let schema = zas_crd::definition::schema().unwrap();
    let spec = "/properties/spec/properties";
    let cases: [(&str, Value, &str); 8] = [
        (
            "/replicas/maximum",
            json!(0),
            ".spec.replicas: maximum fell from 32 to 0",
        ),
        (
            "/replicas/default",
            json!(0),
            ".spec.replicas: its stored default changed",
        ),
        (
            "/http/properties/port/minimum",
            json!(2000),
            ".spec.http.port: minimum rose from 1 to 2000",
        ),
        (
            "/version/x-kubernetes-validations/0/rule",
            json!("self.matches('^a$')"),
            ".spec.version: the grammar changed",
        ),
        (
            "/version/nullable",
            json!(false),
            ".spec.version: null is refused",
        ),
        (
            "/updatePolicy/enum",
            json!(["Manual"]),
            ".spec.updatePolicy: the values [String(\"Automatic\")] are gone",
        ),
        (
            "/image/properties/pullSecretRefs/maxItems",
            json!(1),
            ".spec.image.pullSecretRefs: maxItems fell from 8 to 1",
        ),
        (
            "/http/properties/cors",
            Value::Null,
            ".spec.http.cors: the field is gone",
        ),
    ];
    for (place, value, expected) in cases {
        let mut narrower = schema.clone();
        *narrower.pointer_mut(&format!("{spec}{place}")).unwrap() = value;
        let found = narrowings(&schema, &narrower);
        assert!(
            found.iter().any(|narrowing| narrowing.starts_with(expected)),
            "{place}: {found:?}"
        );
    }
}

#[test]
fn given_a_field_that_becomes_required_when_it_is_compared_then_it_is_found() {
    let schema = zas_crd::definition::schema().unwrap();
    let mut narrower = schema.clone();
    narrower["properties"]["spec"]["required"] = json!(["version"]);
    assert_eq!(
        narrowings(&schema, &narrower),
        [".spec: \"version\" is required now"]
    );
}

#[test]
fn given_a_wider_schema_when_it_is_compared_then_nothing_is_found() {
    let schema = zas_crd::definition::schema().unwrap();
    let mut wider = schema.clone();
    let spec = &mut wider["properties"]["spec"]["properties"];
    spec["replicas"]["maximum"] = json!(64);
    spec["storage"]["properties"]["type"]["enum"] = json!(["Filesystem", "S3"]);
    spec["backup"] = json!({ "type": "object" });
    assert_eq!(narrowings(&schema, &wider), Vec::<String>::new());
}
