//! Users of other systems.

use std::path::Path;

use crate::{Configuration, is_of_api_server};

fn parse(auth: &str, keycloak: &str) -> Result<Configuration, String> {
    let text = format!(
        "configVersion: 1\n{auth}\nextensions:\n  rbac:\n    enabled: true\n    keycloak: {{ {keycloak} }}\n"
    );
    Configuration::parse(Path::new("test.yaml"), &text).map_err(|error| error.to_string())
}

const REALM: &str = "issuer: \"https://id.example.org/realms/dev\", clientId: zas";

#[test]
fn given_a_realm_when_read_then_its_users_have_a_prefix_and_the_username_is_their_name() {
    let configuration = parse("", REALM).unwrap();
    let keycloak = configuration.extensions.rbac.keycloak.unwrap();
    assert_eq!(keycloak.issuer.as_str(), "https://id.example.org/realms/dev");
    assert_eq!(keycloak.usernames.claim, "preferred_username");
    assert_eq!(keycloak.usernames.prefix.as_str(), "kc:");
}

#[test]
fn given_an_empty_prefix_when_read_then_refused_beside_users_with_passwords_alone() {
    let realm = format!("{REALM}, usernames: {{ prefix: \"\" }}");
    assert!(parse("", &realm).is_ok());
    for auth in [
        "auth: { htpasswd: { path: a } }",
        "auth: { administrator: { usernameFile: a, passwordFile: b } }",
    ] {
        let error = parse(auth, &realm).unwrap_err();
        assert!(error.contains("usernames.prefix is empty"), "{error}");
    }
}

#[test]
fn given_wrong_settings_of_a_realm_when_read_then_each_is_named_with_what_to_write() {
    for (keycloak, expected) in [
        ("clientId: zas", "\"issuer\" is missing"),
        ("issuer: \"https://id.example.org\"", "\"clientId\" is missing"),
        (
            "issuer: id.example.org, clientId: zas",
            "is not the URL of an issuer",
        ),
        (
            "issuer: \"https://id.example.org\", clientId: \"\"",
            "must not be empty",
        ),
        (&format!("{REALM}, allowedClient: [ci]"), "allowedClients"),
        (
            &format!("{REALM}, usernames: {{ prefix: kc }}"),
            "is not a prefix of names",
        ),
        (
            &format!("{REALM}, audiences: [\"https://kubernetes.default.svc\"]"),
            "the audience of the Kubernetes API server",
        ),
    ] {
        let error = parse("", keycloak).unwrap_err();
        assert!(error.contains(expected), "{keycloak}: {error}");
    }
}

#[test]
fn given_audiences_when_asked_then_those_of_the_api_server_are_known_in_every_spelling() {
    for audience in [
        "kubernetes.default.svc",
        "https://kubernetes.default.svc",
        "https://kubernetes.default.svc.cluster.local",
        "https://kubernetes.default.svc:443/",
        "https://kubernetes.default",
    ] {
        assert!(is_of_api_server(audience), "{audience}");
    }
    assert!(!is_of_api_server("registry.example.org"));
}

#[test]
fn given_rules_that_name_roles_of_an_issuer_when_checked_then_no_group_is_undefined() {
    let text = "configVersion: 1\naccessControl: { repositories: { \"**\": { policies: [{ groups: [\"realm:dev\", \"group:/team-a\", \
                ops], users: [\"kc:alice\"], actions: [read] }] } } }\n";
    let configuration = Configuration::parse(Path::new("test.yaml"), text).unwrap();
    let rules = configuration.access_control.unwrap();
    let undefined: Vec<_> = rules
        .undefined_groups()
        .into_iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(undefined, ["ops"]);
}
