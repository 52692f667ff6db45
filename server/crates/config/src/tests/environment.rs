use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use crate::*;

fn load(variables: &[(&str, &str)]) -> Result<Configuration, ConfigurationError> {
    load_text("configVersion: 1\n", variables)
}

fn load_text(text: &str, variables: &[(&str, &str)]) -> Result<Configuration, ConfigurationError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Configuration::load(
        file.path(),
        variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value))),
    )
}

#[test]
fn given_overrides_of_each_shape_when_loaded_then_they_replace_what_the_file_says() {
    let configuration = load_text(
        "configVersion: 1\nlimits: {pageSize: 5, blobSize: 1GiB}\nextensions: {metrics: {enabled: true}}\n",
        &[
            ("ZAS_HTTP__LISTEN", "[::1]:8443"),
            ("ZAS_STORAGE__BLOBS__RESERVE", "5GiB"),
            ("ZAS_LIMITS__PAGE_SIZE", "7"),
            ("ZAS_LIMITS__BLOB_SIZE", ""),
            ("ZAS_LIMITS__MEMORY", "67108864"),
            ("ZAS_EXTENSIONS__METRICS__ENABLED", "false"),
            ("ZAS_LOG__LEVEL", "debug"),
            ("ZAS_COLLECTION__GRACE", "1h"),
            ("ZAS_STORAGE__METADATA__PATH", "/data/123"),
            ("ZAS_ACCESS_CONTROL__ADMIN_POLICY__USERS", "root, 42"),
        ],
    )
    .unwrap();
    assert_eq!(configuration.http.listen.to_string(), "[::1]:8443");
    assert_eq!(configuration.storage.blobs.reserve, ByteSize::gib(5));
    assert_eq!(configuration.limits.page_size, 7);
    assert_eq!(configuration.limits.blob_size, None);
    assert_eq!(configuration.limits.memory, ByteSize::mib(64));
    assert!(!configuration.extensions.metrics.enabled);
    assert_eq!(configuration.log.level, LogLevel::Debug);
    assert_eq!(configuration.collection.grace, Duration::hours(1));
    assert_eq!(
        configuration.storage.metadata.location(),
        MetadataLocation::Rocksdb(Path::new("/data/123"))
    );
    let users = configuration.access_control.unwrap().admin_policy.users;
    assert_eq!(
        users.iter().map(UserName::as_str).collect::<Vec<_>>(),
        ["root", "42"]
    );
}

#[test]
fn given_an_override_inside_an_absent_section_when_loaded_then_the_section_appears_with_its_defaults() {
    let configuration = load(&[("ZAS_AUTH__HTPASSWD__PATH", "/secrets/htpasswd")]).unwrap();
    let auth = configuration.auth.unwrap();
    assert_eq!(auth.htpasswd.unwrap().path, Path::new("/secrets/htpasswd"));
    assert_eq!(auth.realm, "zot-artifact-store");
}

#[test]
fn given_variables_that_are_not_overrides_when_loaded_then_ignored() {
    let variables = [
        ("PATH", "/bin"),
        ("ZAS_VERSION", "1"),
        ("HTTP__LISTEN", "x"),
        ("zas_http__listen", "x"),
    ];
    assert_eq!(load(&variables).unwrap(), Configuration::default());
}

/// Variables, and what the error must say.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn given_wrong_overrides_when_loaded_then_the_error_names_the_variable_and_what_is_allowed() {
    let cases: &[Case<'_>] = &[
        (
            &[("ZAS_HTTP__LISTENS", "x")],
            &["ZAS_HTTP__LISTENS", "did you mean \"ZAS_HTTP__LISTEN\"?"],
        ),
        (
            &[("ZAS_NOTHING__LIKE__IT", "x")],
            &["ZAS_NOTHING__LIKE__IT", "unknown variable"],
        ),
        (
            &[("ZAS_HTTP__LISTEN", "localhost")],
            &["ZAS_HTTP__LISTEN", "http.listen", "not a listen address"],
        ),
        (
            &[("ZAS_LIMITS__PAGE_SIZE", "many")],
            &["ZAS_LIMITS__PAGE_SIZE", "limits.pageSize", "1 to 10000"],
        ),
        (
            &[("ZAS_LIMITS__PAGE_SIZE", "-1")],
            &["ZAS_LIMITS__PAGE_SIZE", "1 to 10000"],
        ),
        (
            &[("ZAS_LIMITS__PAGE_SIZE", "10001")],
            &["ZAS_LIMITS__PAGE_SIZE", "1 to 10000"],
        ),
        (
            &[("ZAS_LIMITS__PAGE_SIZE", "99999999999")],
            &["ZAS_LIMITS__PAGE_SIZE", "limits.pageSize"],
        ),
        (
            &[("ZAS_COLLECTION__ENABLED", "yes")],
            &["ZAS_COLLECTION__ENABLED", "true"],
        ),
        (
            &[("ZAS_HTTP__TLS__CERTIFICATE_FILE", "a")],
            &["ZAS_HTTP__TLS__CERTIFICATE_FILE", "privateKeyFile"],
        ),
        (
            &[
                ("ZAS_STORAGE__METADATA__ENGINE", "memory"),
                ("ZAS_STORAGE__METADATA__PATH", "x"),
                ("ZAS_LOG__LEVEL", "info"),
            ],
            &[
                "variable ZAS_STORAGE__METADATA__ENGINE, ZAS_STORAGE__METADATA__PATH:",
                "not allowed with engine memory",
            ],
        ),
    ];
    for (variables, expected) in cases {
        let message = load(variables).unwrap_err().to_string();
        for part in *expected {
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }
}

#[test]
fn given_a_value_that_is_not_utf8_when_loaded_then_refused_by_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "configVersion: 1").unwrap();
    let variable = (OsString::from("ZAS_LOG__LEVEL"), OsString::from_vec(vec![0xff]));
    let error = Configuration::load(file.path(), [variable])
        .unwrap_err()
        .to_string();
    assert!(error.contains("ZAS_LOG__LEVEL"), "{error}");
    let other = (OsString::from_vec(vec![0xff, b'_', b'_']), OsString::new());
    assert!(Configuration::load(file.path(), [other]).is_ok());
}

#[test]
fn given_every_single_field_outside_of_chosen_keys_when_named_then_its_variable_overrides_it() {
    let mut names = HashSet::new();
    for field in fields() {
        let Some(variable) = field.variable() else {
            continue;
        };
        assert!(names.insert(variable.clone()), "{variable} is not unique");
        let Some(value) = field.default.as_deref().or(field.example) else {
            panic!("{} has no value", field.path)
        };
        let value = if field.is_required {
            field.example.unwrap()
        } else {
            value
        };
        let value = value.trim_matches(['[', ']', '"']);
        let mut variables = vec![(variable.as_str(), value)];
        let both = |names: [&'static str; 2]| names.map(|name| (name, "a")).to_vec();
        if field.path.starts_with("http.tls.") {
            variables = both([
                "ZAS_HTTP__TLS__CERTIFICATE_FILE",
                "ZAS_HTTP__TLS__PRIVATE_KEY_FILE",
            ]);
        }
        if field.path.starts_with("auth.administrator.") {
            variables = both([
                "ZAS_AUTH__ADMINISTRATOR__USERNAME_FILE",
                "ZAS_AUTH__ADMINISTRATOR__PASSWORD_FILE",
            ]);
        }
        if field.path.starts_with("extensions.rbac.keycloak.") {
            let required = [
                (
                    "ZAS_EXTENSIONS__RBAC__KEYCLOAK__ISSUER",
                    "https://id.example.org/realms/dev",
                ),
                ("ZAS_EXTENSIONS__RBAC__KEYCLOAK__CLIENT_ID", "zas"),
            ];
            variables.extend(required.into_iter().filter(|(name, _)| *name != variable));
        }
        assert!(
            load(&variables).is_ok(),
            "{variable}={value}: {:?}",
            load(&variables)
        );
    }
    assert!(names.len() > 40, "{}", names.len());
}
