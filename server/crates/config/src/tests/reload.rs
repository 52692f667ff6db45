use std::path::Path;

use super::load::FULL;
use crate::*;

fn parse(text: &str) -> Configuration {
    Configuration::parse(Path::new("config.yaml"), text).unwrap()
}

#[test]
fn given_equal_configurations_when_compared_then_nothing_waits_for_a_restart() {
    assert!(parse(FULL).changes_requiring_restart(&parse(FULL)).is_empty());
}

#[test]
fn given_only_hot_changes_when_reloaded_then_all_are_applied_and_nothing_waits() {
    let running = parse("configVersion: 1\nhttp: {tls: {certificateFile: a, privateKeyFile: b}}");
    let new = parse(
        "configVersion: 1\nhttp: {tls: {certificateFile: c, privateKeyFile: d}}\nlimits: {pageSize: 3}\n\
         auth: {htpasswd: {path: x}}\naccessControl: {adminPolicy: {users: [a], actions: [read]}}\n\
         registry: {repositories: {\"a\": {missingReferences: Accept}}}\nlog: {level: debug}\ncollection: {grace: 2h}",
    );
    assert_eq!(running.changes_requiring_restart(&new), Vec::<String>::new());
    assert_eq!(running.with_hot_changes(&new), new);
}

#[test]
fn given_restart_changes_when_reloaded_then_they_are_named_and_the_running_values_stay() {
    let running = Configuration::default();
    let new = parse(
        "configVersion: 1\nhttp: {listen: 127.0.0.1:1, workers: 2, tls: {certificateFile: a, privateKeyFile: b}}\n\
         storage: {blobs: {reserve: 2GiB}}\nlimits: {pageSize: 3, keepAlive: 3s}\nlog: {level: debug, format: text}",
    );
    let waiting = running.changes_requiring_restart(&new);
    assert_eq!(
        waiting,
        [
            "http.listen",
            "http.tls",
            "http.workers",
            "storage.blobs.reserve",
            "limits.keepAlive",
            "log.format"
        ]
    );
    let merged = running.with_hot_changes(&new);
    assert_eq!(merged.limits.page_size, 3);
    assert_eq!(merged.log.level, LogLevel::Debug);
    assert_eq!(merged.limits.keep_alive, running.limits.keep_alive);
    assert_eq!(merged.http, running.http);
    assert_eq!(merged.storage, running.storage);
    assert_eq!(merged.log.format, LogFormat::Json);
}

#[test]
fn given_any_change_when_reloaded_then_what_was_not_applied_is_exactly_what_was_named() {
    let (running, new) = (Configuration::default(), parse(FULL));
    let merged = running.with_hot_changes(&new);
    assert_eq!(
        merged.changes_requiring_restart(&new),
        running.changes_requiring_restart(&new)
    );
    assert!(running.changes_requiring_restart(&merged).is_empty());
}
