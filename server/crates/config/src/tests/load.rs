use std::path::Path;

use proptest::prelude::*;

use crate::*;

fn parse(text: &str) -> Result<Configuration, ConfigurationError> {
    Configuration::parse(Path::new("config.yaml"), text)
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn given_only_the_version_when_read_then_every_default() {
    assert_eq!(parse("configVersion: 1").unwrap(), Configuration::default());
}

#[test]
fn given_the_same_configuration_as_json_when_read_then_equal() {
    let yaml = parse("configVersion: 1\nhttp: {workers: 3}\nlimits:\n  blobSize: 5GiB\n").unwrap();
    let json =
        parse(r#"{"configVersion": 1, "http": {"workers": 3}, "limits": {"blobSize": "5GiB"}}"#).unwrap();
    assert_eq!(yaml, json);
    assert_eq!(json.limits.blob_size, Some(ByteSize::gib(5)));
}

#[test]
fn given_a_section_whose_lines_are_all_commented_out_when_read_then_its_defaults() {
    assert_eq!(
        parse("configVersion: 1\nlimits:\n#  pageSize: 3\nauth:\n").unwrap(),
        Configuration::default()
    );
}

#[test]
fn given_mistakes_when_read_then_the_error_names_place_field_and_what_is_allowed() {
    let cases = [
        ("", "config.yaml", "configVersion"),
        ("http: {}\n", "config.yaml: ", "key \"configVersion\" is missing"),
        (
            "configVersion: 2\n",
            "config.yaml:1:16: configVersion: ",
            "2 is out of range, allowed: only 1",
        ),
        (
            "configVersion: 1\nhtpp: {}\n",
            "config.yaml:2:1: ",
            "unknown key \"htpp\", did you mean \"http\"?",
        ),
        (
            "configVersion: 1\nhttp:\n  tls:\n    certificatefile: x\n",
            "config.yaml:4:5: http.tls.certificatefile: ",
            "unknown key \"certificatefile\", did you mean \"certificateFile\"?",
        ),
        (
            "configVersion: 1\nhttp:\n  listen: localhost\n",
            "config.yaml:3:11: http.listen: ",
            "127.0.0.1:8080",
        ),
        (
            "configVersion: 1\nlimits:\n  pageSize: 0\n",
            "config.yaml:3:13: limits.pageSize: ",
            "0 is out of range, allowed: 1 to 10000",
        ),
        (
            "configVersion: 1\nlimits:\n  manifestSize: 1MiB\n",
            "config.yaml:3:17: limits.manifestSize: ",
            "4MiB to 64MiB",
        ),
        (
            "configVersion: 1\nlimits: {manifestSize: 5 parsecs}\n",
            "config.yaml:2:24: limits.manifestSize: ",
            "is not a size",
        ),
        (
            "configVersion: 1\ncollection: {grace: 30}\n",
            "config.yaml:2:21: collection.grace: ",
            "is not a duration",
        ),
        (
            "configVersion: 1\nlog: {level: inof}\n",
            "config.yaml:2:14: log.level: ",
            "did you mean \"info\"?",
        ),
        (
            "configVersion: 1\nlog: {level: loud}\n",
            "config.yaml:2:14: log.level: ",
            "error, warn, info, debug, trace",
        ),
        (
            "configVersion: 1\nhttp: {tls: {certificateFile: a}}\n",
            "config.yaml:2:",
            "key \"privateKeyFile\" is missing",
        ),
        (
            "configVersion: 1\nhttp: {tls: {certificateFile: '', privateKeyFile: b}}\n",
            "http.tls.certificateFile: ",
            "must not be empty",
        ),
        (
            "configVersion: 1\nstorage: {metadata: {engine: memory, path: x}}\n",
            "config.yaml:2:",
            "storage.metadata: path is not allowed with engine memory",
        ),
        (
            "configVersion: 1\nstorage: {blobs: {store: memory, path: x}}\n",
            "config.yaml:2:",
            "storage.blobs: path is not allowed",
        ),
        (
            "configVersion: 1\naccessControl:\n  repositories:\n    \"team**\": {}\n",
            "config.yaml:4:5: accessControl.repositories",
            "whole components",
        ),
        (
            "configVersion: 1\naccessControl:\n  repositories:\n    \"**\":\n      policies:\n        - users: [a]\n          actions: [raed]\n",
            "config.yaml:7:21: accessControl.repositories.**.policies[0].actions[0]: ",
            "did you mean \"read\"?",
        ),
        (
            "configVersion: 1\naccessControl:\n  adminPolicy:\n    conditions: []\n",
            "config.yaml:4:5: accessControl.adminPolicy.conditions: ",
            "key \"conditions\" is not supported",
        ),
        (
            "configVersion: 1\naccessControl:\n  repositories:\n    \"**\": {policies: [{actions: [read]}]}\n",
            "config.yaml:4:",
            "must name users or groups",
        ),
        (
            "configVersion: 1\naccessControl: {groups: {dev: {users: ['']}}}\n",
            "config.yaml:2:",
            "is not a name",
        ),
        (
            "configVersion: 1\nconfigVersion: 1\n",
            "config.yaml:2:",
            "configVersion",
        ),
        (
            "configVersion: 1\nhttp: {cors: {allowedOrigins: ['*', 'https://a']}}\n",
            "http.cors: ",
            "credentials are never allowed",
        ),
        (
            "configVersion: 1\nhttp: {trustedProxies: [10.0.0.1/8]}\n",
            "config.yaml:2:25: http.trustedProxies[0]: ",
            "write 10.0.0.0/8",
        ),
        (
            &format!(
                "configVersion: 1\nhttp: {{trustedProxies: [{}]}}\n",
                "10.0.0.0/8, ".repeat(33)
            ),
            "http.trustedProxies: ",
            "33 networks are too many",
        ),
        (
            "configVersion: 1\noperations: {listen: 127.0.0.1:8080}\n",
            "config.yaml",
            "both 127.0.0.1:8080",
        ),
        (
            "configVersion: 1\nhttp: [a]\n",
            "config.yaml:2:1: http: ",
            "mapping",
        ),
        (
            "configVersion: 1\nauth: {realm: 'a\"b'}\n",
            "config.yaml:2:15: auth.realm: ",
            "quotes",
        ),
        ("configVersion: 1\nhttp: {workers: [\n", "config.yaml:", ""),
        (
            "configVersion: one\n",
            "config.yaml:1:16: configVersion: ",
            "allowed: an integer, only 1",
        ),
        (
            "configVersion: 1\ncollection: {enabled: maybe}\n",
            "config.yaml:2:23: collection.enabled: ",
            "`true` or `false`",
        ),
        (
            "configVersion: 1\n---\nconfigVersion: 1\n",
            "config.yaml:",
            "document",
        ),
    ];
    let mut wrong = String::new();
    for (text, place, reason) in cases {
        let message = refusal(text);
        if !message.contains(place) || !message.contains(reason) {
            wrong += &format!("{text:?}\n  got {message}\n  not {place} … {reason}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn given_a_file_that_is_missing_when_loaded_then_the_error_names_it() {
    let error = Configuration::load(Path::new("no/such/file.yaml"), [])
        .unwrap_err()
        .to_string();
    assert!(error.contains("no/such/file.yaml"), "{error}");
}

#[test]
fn given_a_file_that_is_too_large_when_loaded_then_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "#".repeat((4 << 20) + 1)).unwrap();
    let error = Configuration::load(file.path(), []).unwrap_err().to_string();
    assert!(error.contains("4194304 bytes"), "{error}");
}

#[test]
fn given_thousands_of_access_rules_when_read_then_accepted() {
    let mut text = String::from("configVersion: 1\naccessControl:\n  repositories:\n");
    for team in 0..5_000 {
        text += &format!(
            "    \"team-{team}/**\":\n      policies: [{{users: [user-{team}], actions: [read, create]}}]\n"
        );
    }
    let configuration = parse(&text).unwrap();
    assert_eq!(configuration.access_control.unwrap().repositories.len(), 5_000);
}

#[test]
fn given_aliases_that_grow_without_end_when_read_then_refused() {
    let mut text = String::from("configVersion: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        text += &format!(
            "a{level}: &a{level} [{}]\n",
            vec![format!("*a{before}"); 10].join(", ")
        );
    }
    assert!(parse(&text).is_err());
    assert!(parse(&format!("configVersion: 1\nhttp: {}\n", "[".repeat(100_000))).is_err());
}

/// A configuration with a value other than the default wherever there is one.
pub(super) const FULL: &str = r#"
configVersion: 1
http:
  listen: "[::1]:8443"
  externalUrl: https://registry.example.com:8443
  tls: {certificateFile: /etc/tls/tls.crt, privateKeyFile: /etc/tls/tls.key}
  cors: {allowedOrigins: [https://ui.example.com]}
  trustedProxies: [10.128.0.0/14, "fd00::/8"]
  workers: 3
  shutdownGrace: 1m
operations: {listen: 127.0.0.1:0}
storage:
  metadata: {path: /data/metadata}
  blobs: {store: memory, reserve: 10GiB, readChunk: 1MiB}
registry:
  missingReferences: Refuse
  repositories: {"conformance/**": {missingReferences: Accept}, "*": {missingReferences: AcceptInIndexes}}
limits:
  manifestSize: 8MiB
  manifestReferences: 10
  blobSize: 1TiB
  tagParameters: 20
  pageSize: 50
  referrersPage: {count: 5, size: 64KiB}
  concurrentUploads: 2
  memory: 64MiB
  requestHeaderTimeout: 3s
  requestIdleTimeout: 250s
  keepAlive: 5s
auth:
  realm: here
  htpasswd: {path: users}
  administrator: {usernameFile: /run/name, passwordFile: /run/password}
  credentialCache: 0s
  failedAttempts: {count: 3, window: 90s}
accessControl:
  repositories:
    "**":
      anonymousPolicy: [read]
      defaultPolicy: [read, create]
      policies:
        - {users: [alice, "123", "true", "null"], groups: [dev], actions: [read, create, update, delete, detectManifestCollision]}
  groups: {dev: {users: [alice, bob]}}
  adminPolicy: {users: [admin], groups: [dev], actions: [read]}
collection: {enabled: false, interval: 5s, grace: 1h, doomDelay: 0s, uploadExpiry: 2h, orphanSweep: 0s}
log: {level: debug, format: text}
extensions: {metrics: {enabled: false, perRepository: true}}
"#;

#[test]
fn given_a_configuration_with_every_field_when_written_and_read_then_equal() {
    let configuration = parse(FULL).unwrap();
    let yaml = configuration.to_yaml().unwrap();
    assert_eq!(parse(&yaml).unwrap(), configuration, "{yaml}");
    let json = serde_json::to_string(&configuration).unwrap();
    assert_eq!(parse(&json).unwrap(), configuration, "{json}");
}

#[test]
fn given_the_default_configuration_when_written_and_read_then_equal() {
    let yaml = Configuration::default().to_yaml().unwrap();
    assert_eq!(parse(&yaml).unwrap(), Configuration::default(), "{yaml}");
}

#[test]
fn given_rules_for_some_repositories_when_asked_then_the_longest_pattern_decides() {
    let registry = parse(FULL).unwrap().registry;
    for (name, expected) in [
        ("conformance/blobs", MissingReferences::Accept),
        ("conformance", MissingReferences::Accept),
        ("other", MissingReferences::AcceptInIndexes),
        ("team/app", MissingReferences::Refuse),
    ] {
        assert_eq!(
            registry.missing_references_of(&name.parse().unwrap()),
            expected,
            "{name}"
        );
    }
}

#[test]
fn given_storage_without_paths_when_located_then_the_defaults_of_the_durable_engines() {
    let storage = Storage::default();
    assert_eq!(
        storage.metadata.location(),
        MetadataLocation::Rocksdb(Path::new("data/metadata"))
    );
    assert_eq!(
        storage.blobs.location(),
        BlobLocation::Filesystem(Path::new("data/blobs"))
    );
    let memory = parse("configVersion: 1\nstorage: {metadata: {engine: memory}, blobs: {store: memory}}")
        .unwrap()
        .storage;
    assert_eq!(
        (memory.metadata.location(), memory.blobs.location()),
        (MetadataLocation::Memory, BlobLocation::Memory)
    );
}

proptest! {
    #[test]
    fn given_any_bytes_when_read_then_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let _ = Configuration::load(file.path(), []);
    }

    #[test]
    fn given_yaml_like_text_when_read_then_never_a_panic_and_an_error_names_the_file(text in "([a-zA-Z]{0,6}[:\\-\\[\\]{},&*!|>'\"#%@\\n ]{0,3}){0,30}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.to_string().starts_with("config.yaml"), "{}", error);
        }
    }

    #[test]
    fn given_a_valid_file_with_one_damaged_byte_when_read_then_never_a_panic(at in 0..FULL.len(), byte in 0_u8..128) {
        let mut bytes = FULL.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(configuration) = parse(&String::from_utf8(bytes).unwrap()) {
            prop_assert_eq!(parse(&configuration.to_yaml().unwrap()).unwrap(), configuration);
        }
    }
}
