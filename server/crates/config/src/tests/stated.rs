//! Writing a configuration as two files.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::load::FULL;
use crate::layers::{Layer, merge};
use crate::reference::FIRST_VERSION;
use crate::*;

/// Pieces that take effect when the file is read again.
const HOT: &[&str] = &[
    "registry: {missingReferences: Refuse}",
    "registry: {repositories: {\"a/**\": {missingReferences: Accept}, \"{b,c}/*\": {missingReferences: AcceptInIndexes}}}",
    "limits: {pageSize: 7, blobSize: 5GiB}",
    "limits: {referrersPage: {count: 3}}",
    "limits: {requestIdleTimeout: 90s}",
    "auth: {}",
    "auth: {realm: \"it's here: # [x]\"}",
    "auth: {htpasswd: {}}",
    "auth: {htpasswd: {path: \"pfad/m\u{fc}ller \\\\\\t\u{85}\u{2028}\"}, failedAttempts: {window: 90s}}",
    "auth: {administrator: {usernameFile: /run/name, passwordFile: /run/password}}",
    "accessControl: {}",
    "accessControl: {repositories: {\"**\": {}, \"locked/*\": {policies: [{users: [\"123\", \"true\", \"null\"], groups: [dev]}]}}}",
    "accessControl: {groups: {\"42\": {users: [alice, \"~\"]}, dev: {}}}",
    "accessControl: {adminPolicy: {users: [root], actions: [read, delete]}}",
    "collection: {enabled: false, grace: 2h, doomDelay: 0s}",
    "log: {level: trace}",
];

/// Pieces that need a restart.
const RESTART: &[&str] = &[
    "http: {listen: \"[::]:8443\"}",
    "http: {externalUrl: \"https://registry.example.com\", workers: 3}",
    "http: {tls: {certificateFile: /tls/tls.crt, privateKeyFile: /tls/tls.key}}",
    "http: {trustedProxies: [10.0.0.0/8, \"::1/128\"]}",
    "http: {cors: {}}",
    "http: {cors: {allowedOrigins: [\"*\"]}}",
    "operations: {listen: \"127.0.0.1:0\"}",
    "storage: {metadata: {path: \"123\"}, blobs: {reserve: 10}}",
    "storage: {blobs: {store: memory}}",
    "limits: {memory: 64MiB, keepAlive: 5s}",
    "log: {format: text}",
    "extensions: {metrics: {enabled: false}}",
    "extensions: {metrics: {perRepository: true}}",
];

fn of(pieces: &[&str]) -> Configuration {
    let layers: Vec<Layer> = pieces
        .iter()
        .map(|piece| Layer::parse(Path::new("piece"), format!("configVersion: 1\n{piece}\n")).unwrap())
        .collect();
    merge(&layers).unwrap()
}

fn read(file: &str) -> Configuration {
    Configuration::parse(Path::new("written"), file).unwrap_or_else(|error| panic!("{error}\n{file}"))
}

/// Reads both files together, in either order.
fn read_back(files: &ConfigurationFiles) -> [Configuration; 2] {
    let layer = |text: &str| Layer::parse(Path::new("written"), text.to_owned()).unwrap();
    let (restart, hot) = (&files.restart, &files.hot);
    [
        merge(&[layer(restart), layer(hot)]).unwrap(),
        merge(&[layer(hot), layer(restart)]).unwrap(),
    ]
}

fn pieces(all: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(all, 0..=all.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn given_any_configuration_when_written_and_read_then_equal(hot in pieces(HOT), restart in pieces(RESTART)) {
        let configuration = of(&[restart, hot].concat());
        let files = configuration.to_files();
        for read in read_back(&files) {
            prop_assert_eq!(&read, &configuration, "{:?}", files);
        }
        prop_assert_eq!(read(&files.restart).to_files().restart, files.restart);
        prop_assert_eq!(read(&files.hot).to_files().hot, files.hot);
    }

    #[test]
    fn given_changes_of_hot_fields_when_written_then_the_restart_file_is_the_same_bytes(
        before in pieces(HOT), after in pieces(HOT), restart in pieces(RESTART),
    ) {
        let before = of(&[restart.clone(), before].concat());
        let after = of(&[restart, after].concat());
        prop_assert_eq!(before.to_files().restart, after.to_files().restart);
        prop_assert!(before.changes_requiring_restart(&after).is_empty());
    }

    #[test]
    fn given_any_two_configurations_when_a_restart_is_needed_then_the_restart_files_differ(
        left in pieces(HOT), right in pieces(HOT), old in pieces(RESTART), new in pieces(RESTART),
    ) {
        let before = of(&[old, left].concat());
        let after = of(&[new, right].concat());
        let needs_restart = !before.changes_requiring_restart(&after).is_empty();
        prop_assert_eq!(needs_restart, before.to_files().restart != after.to_files().restart);
    }
}

#[test]
fn given_the_default_when_written_then_only_the_version() {
    let only_version = "configVersion: 1\n".to_owned();
    let expected = ConfigurationFiles {
        restart: only_version.clone(),
        hot: only_version,
    };
    assert_eq!(Configuration::default().to_files(), expected);
}

#[test]
fn given_every_field_when_written_then_each_stands_in_its_file_in_the_order_of_the_reference() {
    let files = read(FULL).to_files();
    let restart = "configVersion: 1
http:
  listen: \"[::1]:8443\"
  externalUrl: \"https://registry.example.com:8443\"
  tls:
    certificateFile: \"/etc/tls/tls.crt\"
    privateKeyFile: \"/etc/tls/tls.key\"
";
    assert!(files.restart.starts_with(restart), "{}", files.restart);
    let access = "accessControl:
  repositories:
    \"**\":
      anonymousPolicy: [\"read\"]
      defaultPolicy: [\"read\", \"create\"]
      policies: [{users: [\"alice\", \"123\", \"true\", \"null\"], groups: [\"dev\"], \
                  actions: [\"read\", \"create\", \"update\", \"delete\", \"detectManifestCollision\"]}]
  groups:
";
    assert!(files.hot.contains(access), "{}", files.hot);
    for read in read_back(&files) {
        assert_eq!(read, read_back(&read.to_files())[0]);
        assert_eq!(read, self::read(FULL));
    }
}

#[test]
fn given_a_part_that_may_be_absent_when_it_is_hot_then_nothing_in_it_needs_a_restart() {
    let fields = fields();
    for part in fields.iter().filter(|field| field.reload == Reload::Hot) {
        let inside =
            |field: &&FieldReference| part.is_optional && field.path.starts_with(&format!("{}.", part.path));
        for field in fields.iter().filter(inside) {
            assert_eq!(field.reload, Reload::Hot, "{}", field.path);
        }
    }
}

#[test]
fn given_every_field_when_described_then_its_first_version_is_one_of_ours() {
    let [first, own]: [ServerVersion; 2] =
        [FIRST_VERSION, env!("CARGO_PKG_VERSION")].map(|text| text.parse().unwrap());
    for field in fields() {
        let since: ServerVersion = field.since.parse().unwrap();
        assert!((first..=own).contains(&since), "{}: {since}", field.path);
    }
    assert!(read(FULL).fields_unknown_to(own).is_empty());
    assert_eq!(
        read(FULL).fields_unknown_to(first),
        [
            "http.trustedProxies",
            "limits.memory",
            "auth.administrator",
            "extensions.metrics.perRepository"
        ]
    );
}

mod newer {
    #![expect(unreachable_pub, reason = "the macro makes public types")]

    use std::collections::BTreeMap;

    use crate::section::{Section, section};
    use crate::stated::unknown_fields;
    use crate::{GroupName, PatternMap};

    section! {
        /// A section that has grown.
        pub struct Grown {
            /// Old.
            hot "old" old: u32 = 1;
            /// Newer.
            hot "newer" newer: u32 = 1, in 1..=9, since "0.2.0";
            /// A part of its own.
            hot "part" part: Option<Part> = None, since "0.3.0";
            /// Parts.
            hot "parts" parts: Vec<Part> = Vec::new();
            /// By pattern.
            hot "patterns" patterns: PatternMap<Part> = PatternMap::default();
            /// By group.
            hot "groups" groups: BTreeMap<GroupName, Part> = BTreeMap::new();
        }
    }

    section! {
        /// A part.
        pub struct Part {
            /// Old.
            hot "old" old: u32 = 1;
            /// Newer.
            hot "newer" newer: u32 = 1, since "0.2.0";
        }
    }

    fn unknown(grown: &Grown, version: &str) -> Vec<String> {
        let mut unknown = Vec::new();
        unknown_fields(
            &grown.stated_fields(),
            version.parse().unwrap(),
            "x",
            &mut unknown,
        );
        unknown
    }

    #[test]
    fn given_fields_of_several_versions_when_asked_then_those_that_are_stated_and_newer_are_named() {
        let part = Part {
            newer: 2,
            ..Part::default()
        };
        let grown = Grown {
            newer: 3,
            part: Some(part.clone()),
            parts: vec![Part::default(), part.clone()],
            patterns: [("a/**".parse().unwrap(), part.clone())].into_iter().collect(),
            groups: [("dev".parse().unwrap(), part)].into(),
            ..Grown::default()
        };
        assert_eq!(
            unknown(&grown, "0.1.0"),
            [
                "x.newer",
                "x.part",
                "x.parts[1].newer",
                "x.patterns.a/**.newer",
                "x.groups.dev.newer"
            ]
        );
        assert_eq!(unknown(&grown, "0.2.0"), ["x.part"]);
        assert!(unknown(&grown, "1.0.0").is_empty());
        assert!(unknown(&Grown::default(), "0.1.0").is_empty());
    }
}
