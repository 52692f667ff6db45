//! What an installation consists of fits the program: arguments, environment, values and images.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken expectation fails the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use serde_json::Value;
use zot_artifact_store_operator::arguments::Arguments;

const CHART: &str = "charts/zot-artifact-store-operator";

/// Variables that the manifests leave alone: the defaults fit a Pod, and users of the chart have `extraEnv`.
const LEFT_ALONE: [&str; 3] = ["HEALTH_ADDRESS", "LEASE_DURATION", "NO_LEADER_ELECTION"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn values() -> Value {
    yaml(&format!("{CHART}/values.yaml"))
}

fn schema() -> Value {
    serde_json::from_str(&text(&format!("{CHART}/values.schema.json"))).unwrap()
}

/// Every template of the chart, generated ones too, but the definition.
fn templates() -> String {
    let folder = root().join(CHART).join("templates");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| !path.ends_with("crd.yaml"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// The environment variables that the command line knows.
fn known_variables() -> BTreeSet<String> {
    let command = Arguments::command();
    // What is hidden is for tests.
    let told = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let variables = told.filter_map(|argument| argument.get_env());
    variables
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// The names in `- name: NAME` of environment variables: they alone are upper case.
fn stated_variables(text: &str) -> BTreeSet<String> {
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- name: "));
    names
        .filter(|name| {
            name.chars()
                .all(|letter| letter.is_ascii_uppercase() || letter == '_')
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn given_the_generated_files_when_checked_then_they_are_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_operator-manifests"))
        .arg("--check")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn given_wrong_arguments_when_the_generator_is_called_then_it_says_how_and_fails() {
    let output = Command::new(env!("CARGO_BIN_EXE_operator-manifests"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--write"));
}

#[test]
fn given_the_deployment_when_read_then_its_environment_is_known_to_the_command_line() {
    let known = known_variables();
    let stated = stated_variables(&text("config/manager/deployment.yaml"));
    assert!(stated.contains("POD_NAMESPACE") && stated.contains("RELATED_IMAGE_ZOT_ARTIFACT_STORE"));
    assert_eq!(
        stated.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    let deployment = yaml("config/manager/deployment.yaml");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container.get("args"), None, "the environment says everything");
    assert_eq!(container.get("command"), None, "the image knows its program");
}

#[test]
fn given_the_chart_when_read_then_its_environment_is_exactly_that_of_the_command_line() {
    let expected: BTreeSet<String> = known_variables()
        .into_iter()
        .filter(|name| !LEFT_ALONE.contains(&name.as_str()))
        .collect();
    assert_eq!(stated_variables(&templates()), expected);
}

#[test]
fn given_images_and_versions_when_read_then_all_are_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let deployment = yaml("config/manager/deployment.yaml");
    let image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap();
    assert!(
        image.ends_with(&format!("/zot-artifact-store-operator:{version}")),
        "{image}"
    );
    let chart = yaml(&format!("{CHART}/Chart.yaml"));
    assert_eq!(chart["version"], version);
    assert_eq!(chart["appVersion"], version);
}

/// Every path of a value, with the value.
fn leaves<'a>(value: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
    match value.as_object() {
        Some(members) if !members.is_empty() => {
            for (key, member) in members {
                leaves(member, &format!("{path}.{key}"), found);
            }
        }
        _ => found.push((path.to_owned(), value)),
    }
}

/// A schema with its reference followed.
fn resolved<'a>(schema: &'a Value, whole: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => whole.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// The schema of a path in the values.
fn schema_of<'a>(whole: &'a Value, path: &str) -> Option<&'a Value> {
    let mut schema = whole;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let stated = schema
            .get("properties")
            .and_then(|properties| properties.get(key));
        let free = schema.get("additionalProperties").filter(|free| free.is_object());
        schema = resolved(stated.or(free)?, whole);
    }
    Some(schema)
}

#[test]
fn given_the_values_when_compared_with_their_schema_then_each_is_described_with_its_type() {
    let (values, schema) = (values(), schema());
    let mut found = Vec::new();
    leaves(&values, "", &mut found);
    assert!(found.len() > 25, "{found:?}");
    for (path, value) in found {
        let described = schema_of(&schema, &path).unwrap_or_else(|| panic!("{path} is not in the schema"));
        if let Some(choices) = described.get("enum").and_then(Value::as_array) {
            assert!(choices.contains(value), "{path}");
            continue;
        }
        let actual = match value {
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::Null => "null",
        };
        let types = &described["type"];
        let fits = types == actual
            || types
                .as_array()
                .is_some_and(|types| types.contains(&actual.into()));
        assert!(fits, "{path}: {actual} is not {types}");
    }
}

/// Fails for objects of the schema that accept anything although they name their properties, and for properties that
/// the values do not show.
fn assert_strict(schema: &Value, values: &Value, path: &str) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    assert_eq!(schema["additionalProperties"], false, "{path} accepts anything");
    for (key, property) in properties {
        // Helm's own, and optional.
        if path.is_empty() && key == "global" {
            continue;
        }
        let shown = values
            .get(key)
            .unwrap_or_else(|| panic!("{path}.{key} is not in values.yaml"));
        assert_strict(property, shown, &format!("{path}.{key}"));
    }
}

#[test]
fn given_the_schema_when_walked_then_it_is_closed_and_values_show_every_property() {
    assert_strict(&schema(), &values(), "");
}

#[test]
fn given_the_templates_when_read_then_they_use_every_value_and_no_other() {
    let (templates, values) = (
        templates() + &text(&format!("{CHART}/templates/crd.yaml")),
        values(),
    );
    let mut used = BTreeSet::new();
    for rest in templates.split(".Values.").skip(1) {
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.'));
        let path = rest.get(..end.unwrap_or(rest.len())).unwrap();
        used.insert(path.split('.').next().unwrap().to_owned());
        let pointer = format!("/{}", path.replace('.', "/"));
        assert!(
            values.pointer(&pointer).is_some(),
            ".Values.{path} is not in values.yaml"
        );
    }
    let offered: BTreeSet<String> = values.as_object().unwrap().keys().cloned().collect();
    assert_eq!(used, offered);
}

#[test]
fn given_the_configuration_inside_the_image_when_checked_then_it_is_valid_durable_and_reachable() {
    let configuration: zas_config::Configuration =
        serde_saphyr::from_str(&text("config/container.yaml")).unwrap();
    assert!(configuration.auth.is_some(), "nobody could ever sign in");
    let stated = yaml("config/container.yaml");
    assert_eq!(stated["http"]["listen"], "[::]:8080");
    assert_eq!(stated["operations"]["listen"], "[::]:9090");
    for path in ["metadata", "blobs"] {
        let path = stated["storage"][path]["path"].as_str().unwrap();
        assert!(path.starts_with("/data/"), "{path}");
    }
}

#[test]
fn given_the_dockerfiles_when_read_then_they_run_without_root_on_a_base_that_can_be_chosen() {
    for (file, program, ports) in [
        ("Dockerfile.server", "zot-artifact-store", "EXPOSE 8080 9090"),
        (
            "Dockerfile.operator",
            "zot-artifact-store-operator",
            "EXPOSE 8081",
        ),
    ] {
        let text = text(file);
        let lines: Vec<&str> = text.lines().collect();
        let entry = format!("ENTRYPOINT [\"/usr/local/bin/{program}\"]");
        for line in [
            "USER 1001",
            ports,
            entry.as_str(),
            "FROM ${BASE_IMAGE}",
            "FROM ${BUILDER_IMAGE} AS source",
        ] {
            assert!(lines.contains(&line), "{file} lacks {line}");
        }
        for default in [
            "ARG BASE_IMAGE=registry.access.redhat.com/ubi9/",
            "ARG BINARY=source",
        ] {
            assert!(
                lines.iter().any(|line| line.starts_with(default)),
                "{file} lacks {default}"
            );
        }
        let user = lines.iter().position(|line| *line == "USER 1001").unwrap();
        assert!(
            lines.iter().skip(user).all(|line| !line.starts_with("RUN ")),
            "{file}"
        );
    }
}

#[test]
fn given_the_page_of_the_operator_when_read_then_what_it_links_to_exists() {
    for page in ["docs/OPERATOR.md", "docs/OPENSHIFT_CHECK.md", "README.md"] {
        let text = text(page);
        let links: Vec<&str> = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(link, _)| link)
            .filter(|link| !link.starts_with("http"))
            .collect();
        assert!(!links.is_empty(), "{page}");
        for link in links {
            let file = link.split('#').next().unwrap();
            let folder = root().join(page);
            let place = folder.parent().unwrap().join(file);
            assert!(place.try_exists().unwrap(), "{page} links to {link}");
        }
    }
}
