//! Users of other systems sign in: a real Keycloak, podman, oras and plain HTTP.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a broken expectation fails the test"
)]

mod keycloak;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;
use zas_tests::{Credentials, Server};

use keycloak::Keycloak;

/// Runs a client in a home directory of its own.
fn client(home: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env("REGISTRY_AUTH_FILE", home.join("auth.json"))
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; hack/setup.sh test installs it"))
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[track_caller]
fn assert_refused(output: &Output) {
    assert!(
        !output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// A user of the server's own, who has the name of one of the realm.
fn local_alice() -> Credentials {
    Credentials::new("alice", "password of the local alice")
}

fn server_beside(keycloak: &Keycloak) -> Server {
    Server::builder()
        .user(local_alice())
        .access_control(json!({
            "repositories": {
                "dev/**": {"policies": [
                    {"groups": ["realm:dev"], "actions": ["read", "create"]},
                    {"users": ["kc:bob"], "actions": ["read"]},
                ]},
                "team/**": {"policies": [{"groups": ["group:/team/a"], "actions": ["read", "create"]}]},
                "ours/**": {"policies": [{"groups": ["client:zas:push"], "actions": ["read", "create"]}]},
                "local/**": {"policies": [{"users": ["alice"], "actions": ["read", "create"]}]},
            },
            "adminPolicy": {"users": ["alice"], "actions": ["read"]},
        }))
        .section(
            "extensions",
            json!({"rbac": {"enabled": true, "keycloak": {"issuer": keycloak.issuer(), "clientId": "zas"}}}),
        )
        .start()
}

#[test]
fn given_users_of_a_realm_when_podman_and_oras_show_their_tokens_then_each_may_what_roles_and_groups_give() {
    // Given
    let keycloak = Keycloak::start();
    let server = server_beside(&keycloak);
    let host = server.client().authority().to_owned();
    let home = TempDir::new().expect("the temporary directory is writable");
    fs::write(home.path().join("file"), "content").expect("the directory is ours");
    let (alice, bob) = (keycloak.token("zas", "alice"), keycloak.token("zas", "bob"));
    let run = |program: &str, arguments: &[&str]| client(home.path(), program, arguments);
    let push = |token: &str, repository: &str| {
        let reference = format!("{host}/{repository}:1");
        run(
            "oras",
            &[
                "push",
                "--plain-http",
                "-u",
                "anything",
                "-p",
                token,
                &reference,
                "file",
            ],
        )
    };

    // When podman signs in with the token as password
    let login = |token: &str| {
        run(
            "podman",
            &["login", "--tls-verify=false", "-u", "alice", "-p", token, &host],
        )
    };
    assert_done(&login(&alice));
    assert_refused(&login("eyJhbGciOiJub25lIn0.e30."));

    // Then a user of the realm may what her role, her group and her role of this client give
    for repository in ["dev/app", "team/app", "ours/app"] {
        assert_done(&push(&alice, repository));
        assert_refused(&push(&bob, repository));
    }
    // and not what a local user of the same name may.
    assert_refused(&push(&alice, "local/app"));
    let pull = |token: &str| {
        let reference = format!("{host}/dev/app:1");
        run(
            "oras",
            &[
                "pull",
                "--plain-http",
                "-u",
                "x",
                "-p",
                token,
                "-o",
                "pulled",
                &reference,
            ],
        )
    };
    assert_done(&pull(&bob));
    assert_eq!(
        fs::read(home.path().join("pulled/file")).expect("it was pulled"),
        b"content"
    );

    // Bearer is the same; what is wrong is told to whoever holds the token.
    let path = "/v2/dev/app/manifests/1";
    let anybody = server.client().with_credentials(None);
    let bearer = |token: &str| {
        let value = format!("Bearer {token}");
        anybody.get(path).header("authorization", &value).send()
    };
    bearer(&alice).expect_status(200);
    let foreign = bearer(&keycloak.token("other", "alice")).expect_error(401, "UNAUTHORIZED");
    assert!(
        foreign.text().contains("add an audience mapper"),
        "{}",
        foreign.text()
    );
    let (front, signature) = alice.rsplit_once('.').expect("a token has three parts");
    let forged = signature.chars().rev().collect::<String>();
    bearer(&format!("{front}.{forged}")).expect_error(401, "UNAUTHORIZED");
    anybody.get(path).send().expect_error(401, "UNAUTHORIZED");

    // Local users sign in as before.
    let local = server.client().with_credentials(Some(local_alice()));
    local.get("/v2/").send().expect_status(200);

    // No token is in the log.
    let log = server.log();
    for token in [&alice, &bob] {
        let (_, signature) = token.rsplit_once('.').expect("a token has three parts");
        assert!(!log.contains(signature), "a signature is in the log");
    }
}
