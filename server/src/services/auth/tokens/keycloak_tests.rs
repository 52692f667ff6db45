use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::{Value, json};
use zas_config::Configuration;

use super::*;
use crate::services::auth::request_head::tests::Authorization;
use crate::services::auth::tokens::test_issuer::{SigningKey, TestIssuer};

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// The users of a realm, as a server knows them that is told more about it by these settings.
fn users_of(url: &str, settings: &str) -> KeycloakTokens {
    let text = format!(
        "configVersion: 1\nextensions: {{ rbac: {{ enabled: true, keycloak: {{ issuer: \"{url}\", clientId: zas{settings} }} }} }}\n"
    );
    let configuration = Configuration::parse(Path::new("test.yaml"), &text).unwrap();
    let keycloak = configuration.extensions.rbac.keycloak.unwrap();
    KeycloakTokens::new(
        &keycloak,
        Some("registry.example.org"),
        &Issuers::default(),
        Keys::new([7; 32]),
        None,
    )
}

async fn identify(
    users: &KeycloakTokens,
    token: &str,
    now: Timestamp,
) -> Result<Option<Principal>, AuthenticationError> {
    let header = format!("Bearer {token}");
    let headers = Authorization(&[header.as_bytes()]);
    users
        .identify(&headers.head(Ipv4Addr::LOCALHOST.into()), now)
        .await
}

/// What an access token says that Keycloak makes for the client of this server.
fn claims(issuer: &TestIssuer) -> Value {
    json!({
        "iss": issuer.url, "sub": "f3a1", "typ": "Bearer", "azp": "zas", "preferred_username": "alice",
        "iat": NOW, "exp": NOW + 300,
        "realm_access": {"roles": ["dev", "offline_access"]},
        "resource_access": {"zas": {"roles": ["push"]}, "account": {"roles": ["manage-account"]}},
        "groups": ["/team/a"],
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn given_a_token_of_the_realm_when_shown_then_a_user_with_a_prefix_and_the_roles_of_our_client_alone() {
    let key = SigningKey::new("one");
    let issuer = TestIssuer::start(&[&key]).await;
    let users = users_of(&issuer.url, "");

    let principal = identify(&users, &key.sign(&claims(&issuer)), at(NOW))
        .await
        .unwrap()
        .unwrap();

    let identity = principal.identity().unwrap();
    assert_eq!(identity.user.as_str(), "kc:alice");
    assert_eq!(
        (identity.actor.issuer(), identity.actor.subject()),
        (issuer.url.as_str(), "f3a1")
    );
    let groups: Vec<_> = identity.groups.iter().map(ToString::to_string).collect();
    assert_eq!(
        groups,
        [
            "realm:dev",
            "realm:offline_access",
            "client:zas:push",
            "group:/team/a"
        ]
    );
    assert!(!principal.is_administrator());
}

#[tokio::test]
async fn given_tokens_for_others_or_of_other_kinds_when_shown_then_each_is_refused_with_the_reason() {
    let key = SigningKey::new("one");
    let issuer = TestIssuer::start(&[&key]).await;
    let users = users_of(&issuer.url, "");
    let good = claims(&issuer);
    for (token, reason) in [
        (with(good.clone(), "exp", json!(NOW - 61)), "it has expired"),
        (
            with(good.clone(), "exp", Value::Null),
            "one of exp, nbf and iat is no date",
        ),
        (
            with(good.clone(), "exp", json!("soon")),
            "one of exp, nbf and iat is no date",
        ),
        (
            with(good.clone(), "nbf", json!(NOW + 61)),
            "it is from the future",
        ),
        (
            with(good.clone(), "iat", json!(NOW + 61)),
            "it is from the future",
        ),
        (with(good.clone(), "sub", Value::Null), "it has no sub"),
        (
            with(good.clone(), "azp", json!("other")),
            "it is for somebody else",
        ),
        (
            with(good.clone(), "typ", json!("Refresh")),
            "neither an access token nor an ID token",
        ),
        (
            with(good.clone(), "typ", json!("Offline")),
            "neither an access token nor an ID token",
        ),
        (
            with(good.clone(), "typ", json!("ID")),
            "an ID token of another client",
        ),
        (
            with(good.clone(), "cnf", json!({"jkt": "x"})),
            "it is bound to a key",
        ),
        (
            with(good.clone(), "aud", json!(["https://kubernetes.default.svc"])),
            "its audience is the Kubernetes API server",
        ),
        (
            with(good.clone(), "preferred_username", Value::Null),
            "it has no claim preferred_username",
        ),
        (
            with(good.clone(), "preferred_username", json!("a\nb")),
            "cannot be the name of a user",
        ),
    ] {
        let error = identify(&users, &key.sign(&token), at(NOW)).await.unwrap_err();
        let AuthenticationError::InvalidToken(text) = &error else {
            panic!("{token}: {error:?}");
        };
        assert!(text.contains(reason), "{token}: {text}");
    }
    for good in [
        with(
            with(good.clone(), "azp", json!("other")),
            "aud",
            json!("registry.example.org"),
        ),
        with(with(good.clone(), "typ", json!("ID")), "aud", json!(["zas"])),
        with(good.clone(), "exp", json!(NOW - 59)),
    ] {
        assert!(
            identify(&users, &key.sign(&good), at(NOW))
                .await
                .unwrap()
                .is_some(),
            "{good}"
        );
    }
    let others = users_of(&issuer.url, ", allowedClients: [ci], audiences: [elsewhere]");
    let token = key.sign(&with(good.clone(), "azp", json!("ci")));
    assert!(identify(&others, &token, at(NOW)).await.unwrap().is_some());
    // Another realm's tokens are for another credential to look at.
    let foreign = key.sign(&with(good, "iss", json!("https://id.example.org/realms/other")));
    assert!(identify(&users, &foreign, at(NOW)).await.unwrap().is_none());
}

#[tokio::test]
async fn given_signatures_that_prove_nothing_when_shown_then_refused() {
    let (key, stranger) = (SigningKey::new("one"), SigningKey::new("one"));
    let issuer = TestIssuer::start(&[&key]).await;
    let users = users_of(&issuer.url, "");
    let good = claims(&issuer);
    let signed = key.sign(&good);
    let (front, signature) = signed.rsplit_once('.').unwrap();
    let header = |algorithm: &str| json!({"alg": algorithm, "kid": "one"});
    let changed = key.sign(&with(good.clone(), "preferred_username", json!("bob")));
    let (changed, _) = changed.rsplit_once('.').unwrap();
    for token in [
        stranger.sign(&good),
        format!("{front}."),
        format!("{changed}.{signature}"),
        key.sign_as(&header("none"), &good),
        key.sign_as(&header("HS256"), &good),
        key.sign_as(&header("RS256"), &good),
        key.sign_as(&json!({"alg": "ES256"}), &good),
        key.sign_as(
            &json!({"alg": "ES256", "kid": "one", "crit": ["b64"], "b64": false}),
            &good,
        ),
    ] {
        let error = identify(&users, &token, at(NOW)).await.unwrap_err();
        assert!(
            matches!(error, AuthenticationError::InvalidToken(_)),
            "{token}: {error:?}"
        );
    }
}

#[tokio::test]
async fn given_a_flood_of_unknown_keys_when_shown_then_the_issuer_is_asked_once_and_a_new_key_is_found_later()
{
    // Given
    let (key, new) = (SigningKey::new("one"), SigningKey::new("two"));
    let issuer = TestIssuer::start(&[&key]).await;
    let users = users_of(&issuer.url, "");
    let good = claims(&issuer);
    assert!(
        identify(&users, &key.sign(&good), at(NOW))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(issuer.times_asked(), 1);

    // When
    for number in 0..50 {
        let unknown = SigningKey::new(&format!("unknown {number}"));
        let refused = identify(&users, &unknown.sign(&good), at(NOW + 11)).await;
        assert!(matches!(refused, Err(AuthenticationError::InvalidToken(_))));
    }

    // Then
    assert_eq!(issuer.times_asked(), 2);
    issuer.publish(&[&new]);
    assert!(
        identify(&users, &new.sign(&good), at(NOW + 22))
            .await
            .unwrap()
            .is_some()
    );
    let retired = key.sign(&with(good, "sub", json!("other")));
    assert!(identify(&users, &retired, at(NOW + 22)).await.is_err());
}

#[tokio::test]
async fn given_an_issuer_that_cannot_be_reached_when_a_token_is_shown_then_unavailable_and_nobody_is_let_in()
{
    let key = SigningKey::new("one");
    let issuer = TestIssuer::start(&[&key]).await;
    // A port on which nobody listens any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let users = users_of(
        &issuer.url,
        &format!(", backchannelUrl: \"http://{closed}/realms/dev\""),
    );
    let error = identify(&users, &key.sign(&claims(&issuer)), at(NOW))
        .await
        .unwrap_err();
    assert!(matches!(error, AuthenticationError::Unavailable(_)), "{error:?}");
}
