//! The committed files are those that the declarations make.

use std::path::{Path, PathBuf};

use crate::*;

fn committed(path: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    (path, text)
}

const REGENERATE: &str = "differs: run `cargo run -p zas-config --bin config-reference -- --write`";

#[test]
fn given_the_declarations_when_the_example_is_made_then_it_is_the_committed_file() {
    assert!(
        committed("config/config.yaml.example").1 == example_file(&fields()),
        "config.yaml.example {REGENERATE}"
    );
}

#[test]
fn given_the_declarations_when_the_page_is_made_then_it_is_the_committed_file() {
    assert!(
        committed("docs/CONFIGURATION.md").1 == reference_page(&fields()),
        "CONFIGURATION.md {REGENERATE}"
    );
}

#[test]
fn given_the_example_when_loaded_then_it_states_the_defaults() {
    let (path, _) = committed("config/config.yaml.example");
    assert_eq!(Configuration::load(&path, []).unwrap(), Configuration::default());
}

#[test]
fn given_the_example_with_nothing_commented_out_when_loaded_then_every_key_is_understood() {
    let example = example_file(&fields());
    let uncommented: String = example
        .lines()
        .map(|line| uncomment(line).to_owned() + "\n")
        .collect();
    let configuration = Configuration::parse(Path::new("example"), &uncommented)
        .unwrap_or_else(|error| panic!("{error}\n{uncommented}"));
    assert!(configuration.auth.is_some() && configuration.http.tls.is_some());
    let access = configuration.access_control.unwrap();
    assert_eq!(access.repositories.iter().next().unwrap().1.policies.len(), 1);
    for field in fields() {
        let key = field.path.rsplit('.').next().unwrap().trim_end_matches("[]");
        assert!(
            uncommented.contains(&format!("{key}:")),
            "{} is missing",
            field.path
        );
    }
}

/// A commented key has its indentation behind the mark; prose has one space.
fn uncomment(line: &str) -> &str {
    match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') || rest.starts_with("  ") => rest,
        _ => line,
    }
}

#[test]
fn given_the_configuration_of_a_first_run_when_loaded_then_local_durable_and_closed_to_strangers() {
    let (path, _) = committed("config/config.yaml");
    let configuration = Configuration::load(&path, []).unwrap();
    assert!(configuration.http.listen.get().ip().is_loopback());
    assert!(configuration.operations.listen.get().ip().is_loopback());
    assert_eq!(
        configuration.storage.metadata.location(),
        MetadataLocation::Rocksdb(Path::new("data/metadata"))
    );
    assert_eq!(
        configuration.storage.blobs.location(),
        BlobLocation::Filesystem(Path::new("data/blobs"))
    );
    let access = configuration.access_control.unwrap();
    for (_, rules) in access.repositories.iter() {
        assert!(rules.anonymous_policy.is_empty());
        // Buckets are their owners' alone.
        let is_at_most_read = rules.default_policy.iter().all(|action| *action == Action::Read);
        assert!(is_at_most_read, "{:?}", rules.default_policy);
    }
    assert_eq!(
        access
            .admin_policy
            .users
            .iter()
            .map(UserName::as_str)
            .collect::<Vec<_>>(),
        ["admin"]
    );
    assert_eq!(access.admin_policy.actions.len(), 5);
}

#[test]
fn given_every_field_when_described_then_it_has_a_meaning_and_a_value_to_show() {
    for field in fields() {
        assert!(field.meaning.ends_with('.'), "{}: {}", field.path, field.meaning);
        assert!(!field.allowed.is_empty(), "{}", field.path);
        let holds_fields = matches!(field.shape, Shape::Section | Shape::Mapping | Shape::Sequence);
        assert!(
            holds_fields || field.default.is_some() || field.example.is_some(),
            "{}",
            field.path
        );
    }
}
