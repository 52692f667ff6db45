//! Several files.

use std::path::PathBuf;

use super::load::FULL;
use crate::*;

/// Writes the texts to files `0.yaml`, `1.yaml`, … and reads them in this order.
fn load(texts: &[&str]) -> Result<Configuration, ConfigurationError> {
    let directory = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..texts.len())
        .map(|number| directory.path().join(format!("{number}.yaml")))
        .collect();
    for (file, text) in files.iter().zip(texts) {
        std::fs::write(file, text).unwrap();
    }
    Configuration::load_files(&files, [])
}

#[test]
fn given_two_files_when_loaded_then_the_later_overrides_exactly_what_it_states() {
    let merged = load(&[
        "configVersion: 1\nlimits: {pageSize: 5, tagParameters: 20, referrersPage: {count: 3, size: 64KiB}}\nlog: {level: debug}\n",
        "configVersion: 1\nlimits: {pageSize: 1000, referrersPage: {count: 9}}\nhttp: {workers: 2}\n",
    ])
    .unwrap();
    // Stated, though it is the default.
    assert_eq!(merged.limits.page_size, 1000);
    assert_eq!(merged.limits.tag_parameters, 20);
    assert_eq!(merged.limits.referrers_page.count, 9);
    assert_eq!(merged.limits.referrers_page.size, ByteSize::kib(64));
    assert_eq!(merged.log.level, LogLevel::Debug);
    assert_eq!(merged.http.workers, 2);
}

#[test]
fn given_lists_and_patterns_when_stated_twice_then_the_later_replaces_the_whole() {
    let merged = load(&[
        "configVersion: 1\nauth: {realm: here}\naccessControl:\n  groups: {dev: {users: [alice]}, ops: {users: [olga]}}\n  adminPolicy: {users: [root], actions: [read]}\n  repositories: {\"**\": {anonymousPolicy: [read]}}\n",
        "configVersion: 1\nauth: {}\naccessControl:\n  groups: {dev: {users: [bob]}}\n  adminPolicy: {users: [admin]}\n  repositories: {\"team/**\": {defaultPolicy: [read]}}\n",
    ])
    .unwrap();
    let access = merged.access_control.unwrap();
    let users = |names: &[UserName]| {
        names
            .iter()
            .map(UserName::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(access.groups.len(), 1);
    assert_eq!(users(&access.groups["dev"].users), "bob");
    assert_eq!(users(&access.admin_policy.users), "admin");
    assert_eq!(access.admin_policy.actions, [Action::Read]);
    assert_eq!(
        access
            .repositories
            .iter()
            .map(|(pattern, _)| pattern.as_str())
            .collect::<Vec<_>>(),
        ["team/**"]
    );
    assert_eq!(merged.auth.unwrap().realm, "here");
}

#[test]
fn given_a_part_that_only_the_later_file_has_when_loaded_then_it_is_there_with_its_defaults() {
    let merged = load(&[
        "configVersion: 1\n",
        "configVersion: 1\nauth: {}\nhttp: {tls: {certificateFile: a, privateKeyFile: b}}\n",
    ])
    .unwrap();
    assert_eq!(merged.auth, Some(Auth::default()));
    assert_eq!(merged.http.tls.unwrap().certificate_file, PathBuf::from("a"));
}

#[test]
fn given_nothing_stated_for_a_part_when_loaded_then_it_stays_and_a_single_null_takes_a_value_away() {
    let merged = load(&[
        FULL,
        "configVersion: 1\nauth:\naccessControl:\nregistry:\nlimits: {blobSize: null}\n",
    ])
    .unwrap();
    let mut expected = load(&[FULL]).unwrap();
    expected.limits.blob_size = None;
    assert_eq!(merged, expected);
}

#[test]
fn given_any_file_after_others_when_it_states_every_field_then_it_alone_counts() {
    let every_default = Configuration::default().to_yaml().unwrap();
    let full = load(&[FULL]).unwrap();
    assert_eq!(load(&[&every_default, FULL]).unwrap(), full);
    assert_eq!(load(&[FULL, "configVersion: 1\n"]).unwrap(), full);
    assert_eq!(
        load(&["configVersion: 1\n", FULL, "configVersion: 1\n"]).unwrap(),
        full
    );
}

#[test]
fn given_values_that_look_like_others_when_merged_then_they_keep_their_type() {
    let merged = load(&[
        "configVersion: 1\n",
        "configVersion: 1\nauth: {htpasswd: {path: 123}}\nstorage: {blobs: {reserve: 0}}\naccessControl: {groups: {42: {users: [7, true]}}}\n",
    ])
    .unwrap();
    assert_eq!(merged.auth.unwrap().htpasswd.unwrap().path, PathBuf::from("123"));
    assert_eq!(merged.storage.blobs.reserve, "0".parse().unwrap());
    assert_eq!(
        merged.access_control.unwrap().groups["42"].users[1].as_str(),
        "true"
    );
}

#[test]
fn given_a_mistake_in_one_file_when_loaded_then_file_line_and_field_are_named() {
    for (texts, place, reason) in [
        (
            ["configVersion: 1\n", "limits: {pageSize: 3}\n"],
            "1.yaml",
            "\"configVersion\" is missing",
        ),
        (
            ["configVersion: 1\n", "configVersion: 1\nlimits:\n  pageSize: 0\n"],
            "1.yaml:3:13: limits.pageSize: ",
            "1 to 10000",
        ),
        (
            ["configVersion: 1\nlmits: {}\n", "configVersion: 1\n"],
            "0.yaml:2:1: ",
            "did you mean \"limits\"",
        ),
        (
            [
                "configVersion: 1\n",
                "configVersion: 1\nhttp: {tls: {certificateFile: a}}\n",
            ],
            "1.yaml:2:",
            "\"privateKeyFile\" is missing",
        ),
    ] {
        let error = load(&texts).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(reason), "{error}");
    }
}

#[test]
fn given_files_that_do_not_fit_together_when_loaded_then_all_are_named_with_the_field() {
    let error = load(&[
        "configVersion: 1\nstorage: {metadata: {path: x}}\n",
        "configVersion: 1\nstorage: {metadata: {engine: memory}}\n",
    ])
    .unwrap_err()
    .to_string();
    for part in [
        "0.yaml and ",
        "1.yaml do not fit together: storage.metadata: ",
        "path is not allowed with engine memory",
    ] {
        assert!(error.contains(part), "{error}");
    }
}
