//! The administrator of a mounted Secret.

use serde_json::json;
use zas_tests::{Blob, Client, Credentials, Repository, Server, ServerBuilder};

use crate::operation::wait_until;

fn builder() -> ServerBuilder {
    let files = json!({"usernameFile": "admin/username", "passwordFile": "admin/password"});
    Server::builder()
        .section("auth", json!({"administrator": files}))
        .access_control(json!({"repositories": {"**": {"defaultPolicy": ["read"]}}}))
        .mount(
            "admin",
            &[("username", "root\n"), ("password", "first password\n")],
        )
}

fn signed_in(server: &Server, password: &str) -> Client {
    server
        .client()
        .with_credentials(Some(Credentials::new("root", password)))
}

#[test]
fn given_a_mounted_secret_when_it_is_exchanged_then_the_new_password_counts_and_an_empty_one_does_not() {
    // Given
    let server = builder()
        .user(Credentials::new("root", "of the file"))
        .user(Credentials::new("alice", "secret"))
        .start();
    let repository = Repository::new(&signed_in(&server, "first password"), "any/repository");
    repository.push_blob(&Blob::random(1, 100)).expect_status(201);
    let status = |password: &str| signed_in(&server, password).get("/v2/").send().status;
    assert_eq!(status("of the file"), 401);
    wait_until("the log names the line", || {
        server.log().contains("that line does not count")
    });
    let alice = Repository::new(
        &server
            .client()
            .with_credentials(Some(Credentials::new("alice", "secret"))),
        "any/repository",
    );
    alice.client.post(&alice.uploads_path()).send().expect_status(403);

    // When
    let secret = server.mounted("admin");
    secret.exchange(&[("username", "root"), ("password", "second password")]);

    // Then
    wait_until("the new password counts", || status("second password") == 200);
    assert_eq!(status("first password"), 401);

    // When it becomes empty, then the last good one stays
    secret.exchange(&[("username", "root"), ("password", "\n")]);
    wait_until("the log names the file", || {
        server.log().contains("admin/password is empty")
    });
    assert_eq!(status("second password"), 200);
    for password in ["first password", "second password", "of the file"] {
        assert!(!server.log().contains(password), "{}", server.log());
    }
}

#[test]
fn given_an_empty_password_when_started_then_refused_with_the_name_of_the_file() {
    let failed = builder()
        .mount("empty", &[("password", "\n")])
        .section(
            "auth",
            json!({"administrator": {"passwordFile": "empty/password"}}),
        )
        .start_in_vain(|_| {});
    assert_eq!(failed.code, Some(78));
    assert!(
        failed
            .output
            .contains("auth.administrator: empty/password is empty"),
        "{}",
        failed.output
    );
}
