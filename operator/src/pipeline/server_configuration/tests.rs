use serde_json::json;

use super::*;

fn spec(value: Value) -> ZotArtifactStoreSpec {
    serde_json::from_value(value).unwrap()
}

fn of(value: Value) -> ConfigurationFiles {
    files(&spec(value), None, Some(20 << 30), "0.2.0").unwrap()
}

#[test]
fn given_the_minimal_resource_when_configured_then_little_is_stated_and_the_server_reads_it() {
    let files = of(json!({}));
    insta::assert_snapshot!("minimal_restart", files.restart);
    insta::assert_snapshot!("minimal_hot", files.hot);
}

#[test]
fn given_hot_fields_when_changed_then_the_restart_file_is_the_same_to_the_byte() {
    let before = of(json!({}));
    for hot in [
        json!({"logging": {"level": "debug"}}),
        json!({"limits": {"maxManifestSize": "8Mi", "maxConcurrentUploads": 16, "uploadExpiry": "2h"}}),
        json!({"maintenance": {"garbageCollection": {"enabled": false, "interval": "1h30m", "grace": "48h"}}}),
        json!({"access": {"htpasswdRef": {"name": "users", "key": "list"}}}),
        json!({"access": {"accessControl": {"admin": {"users": ["root"], "actions": ["read"]}}}}),
    ] {
        let rules = spec(hot.clone()).access.access_control;
        let rules = rules.map(|_| AccessControl::default());
        let after = files(&spec(hot.clone()), rules.as_ref(), Some(20 << 30), "0.2.0").unwrap();
        assert_eq!(after.restart, before.restart, "{hot}");
        assert_ne!(after.hot, before.hot, "{hot}");
    }
}

#[test]
fn given_restart_fields_when_changed_then_the_restart_file_changes() {
    let before = of(json!({}));
    for restart in [
        json!({"http": {"port": 5000}}),
        json!({"http": {"externalUrl": "https://registry.example.com"}}),
        json!({"http": {"trustedProxies": ["10.128.0.0/14", "fd00::/8"]}}),
        json!({"http": {"cors": {"allowedOrigins": ["https://ui.example.com"]}}}),
        json!({"tls": {"type": "Secret", "secretRef": {"name": "tls"}}}),
        json!({"logging": {"format": "Text"}}),
        json!({"extensions": {"metrics": {"enabled": false}}}),
        json!({"extensions": {"metrics": {"enabled": true, "perRepository": true}}}),
        json!({"pod": {"terminationGracePeriodSeconds": 120}}),
    ] {
        assert_ne!(of(restart.clone()).restart, before.restart, "{restart}");
    }
}

#[test]
fn given_values_that_the_server_refuses_when_configured_then_the_field_is_named() {
    for (wrong, expected) in [
        (
            json!({"limits": {"maxManifestSize": "1Mi"}}),
            "limits.manifestSize",
        ),
        (
            json!({"http": {"trustedProxies": ["10.0.0.0/99"]}}),
            "http.trustedProxies",
        ),
        (
            json!({"http": {"cors": {"allowedOrigins": ["*", "https://a.example.com"]}}}),
            "cors",
        ),
    ] {
        let problem = files(&spec(wrong.clone()), None, None, "0.2.0").unwrap_err();
        assert_eq!(problem.reason, ConditionReason::InvalidSpec, "{wrong}");
        assert!(problem.message.contains(expected), "{wrong}: {}", problem.message);
    }
}

#[test]
fn given_an_older_server_when_configured_then_it_is_refused_by_name() {
    let problem = files(&spec(json!({})), None, None, "0.1.9").unwrap_err();
    assert!(problem.message.contains("from 0.2.0 on"), "{}", problem.message);
}

#[test]
fn given_a_small_volume_when_configured_then_most_of_it_can_be_used() {
    let small = configuration(&spec(json!({})), None, Some(1 << 30)).unwrap();
    assert_eq!(small.storage.blobs.reserve.bytes(), 64 << 20);
    for volume in [None, Some(100 << 30)] {
        let large = configuration(&spec(json!({})), None, volume).unwrap();
        assert_eq!(large.storage.blobs.reserve.bytes(), 1 << 30);
    }
}

#[test]
fn given_times_to_stop_when_configured_then_the_database_has_time_to_close() {
    for (grace, drain) in [(30, 20), (330, 320), (8, 4)] {
        let stated = json!({"pod": {"terminationGracePeriodSeconds": grace}});
        let configuration = configuration(&spec(stated), None, None).unwrap();
        assert_eq!(configuration.http.shutdown_grace.get().as_secs(), drain);
    }
}
