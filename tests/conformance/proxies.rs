//! Clients behind a proxy.

use serde_json::json;
use zas_tests::{Client, Credentials, Server};

use crate::operation::wait_until;

fn server(trusted: &[&str]) -> Server {
    Server::builder()
        .user(Credentials::new("alice", "secret"))
        .section("auth", json!({"failedAttempts": {"count": 2, "window": "1h"}}))
        .section("http", json!({"trustedProxies": trusted}))
        .start()
}

/// A guess from a client that a proxy, or the client itself, names.
fn guess(client: &Client, password: &str, forwarded_for: &str) -> u16 {
    let signing_in = client.with_credentials(Some(Credentials::new("alice", password)));
    let request = signing_in.get("/v2/").header("x-forwarded-for", forwarded_for);
    request.send().status
}

#[test]
fn given_a_trusted_proxy_when_it_names_clients_then_guesses_count_for_each_and_the_log_names_them() {
    let server = server(&["127.0.0.0/8"]);
    let client = server.client();
    for password in ["1", "2"] {
        assert_eq!(guess(&client, password, "192.0.2.7"), 401);
    }
    assert_eq!(guess(&client, "secret", "192.0.2.7"), 429);
    // What the client writes in front of its own address changes nothing.
    assert_eq!(guess(&client, "secret", "203.0.113.1, 192.0.2.7"), 429);
    assert_eq!(guess(&client, "secret", "192.0.2.8"), 200);
    wait_until("the log names both", || {
        let log = server.log();
        log.contains("client=\"192.0.2.7\"") && log.contains("client=\"192.0.2.8\"")
    });
}

#[test]
fn given_no_trusted_proxy_when_a_client_names_others_then_all_its_guesses_count() {
    let server = server(&[]);
    let client = server.client();
    assert_eq!(guess(&client, "1", "192.0.2.1"), 401);
    assert_eq!(guess(&client, "2", "192.0.2.2"), 401);
    assert_eq!(guess(&client, "secret", "192.0.2.3"), 429);
    wait_until("the log names the connection", || {
        server.log().contains("client=\"127.0.0.1\"")
    });
    assert!(!server.log().contains("192.0.2."), "{}", server.log());
}
