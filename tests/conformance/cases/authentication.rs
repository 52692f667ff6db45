//! Who is asking: sign-in by name and password.

use zas_tests::{Client, Credentials, Response};

use super::cases;
use crate::fixture::Fixture;

cases!(authentication:
    given_the_version_check_when_allowed_then_200,
    given_nobody_when_a_private_repository_is_asked_then_401_with_a_challenge,
    given_a_wrong_password_when_asked_then_401,
    given_an_unknown_user_when_asked_then_401,
    given_wrong_credentials_when_a_public_repository_is_asked_then_401,
    given_malformed_credentials_when_asked_then_401,
    given_another_scheme_when_asked_then_401,
    given_several_authorization_headers_when_asked_then_refused,
    given_an_odd_spelling_of_the_scheme_when_signed_in_then_200,
);

/// Demands a refusal that tells clients how to sign in.
#[track_caller]
pub(crate) fn expect_challenge(answer: Response) {
    let answer = answer.expect_error(401, "UNAUTHORIZED");
    let challenge = answer.required_header("www-authenticate").to_owned();
    assert!(challenge.starts_with("Basic realm=\""), "{challenge}");
}

fn private_tags(fixture: &Fixture<'_>) -> String {
    fixture.repository_under("private").tags_path()
}

fn given_the_version_check_when_allowed_then_200(fixture: &Fixture<'_>) {
    fixture.client.get("/v2/").send().expect_status(200);
    fixture.signed_in("dave").get("/v2/").send().expect_status(200);
    fixture
        .client
        .head("/v2/")
        .send()
        .expect_status(200)
        .expect_body(b"");
}

fn given_nobody_when_a_private_repository_is_asked_then_401_with_a_challenge(fixture: &Fixture<'_>) {
    let (client, repository) = (fixture.anonymous(), fixture.repository_under("private"));
    let digest = zas_tests::Algorithm::Sha256.digest(b"x");
    expect_challenge(client.get(&repository.tags_path()).send());
    expect_challenge(client.get(&repository.manifest_path("latest")).send());
    expect_challenge(client.get(&repository.blob_path(&digest)).send());
    expect_challenge(client.get(&repository.referrers_path(&digest)).send());
    expect_challenge(client.post(&repository.uploads_path()).send());
    expect_challenge(client.put(&repository.manifest_path("latest")).body(b"{}").send());
    expect_challenge(client.delete(&repository.manifest_path("latest")).send());
    expect_challenge(client.delete(&repository.blob_path(&digest)).send());
    let answer = client
        .head(&repository.manifest_path("latest"))
        .send()
        .expect_status(401)
        .expect_body(b"");
    answer.required_header("www-authenticate");
}

fn given_a_wrong_password_when_asked_then_401(fixture: &Fixture<'_>) {
    for password in ["wrong", "", "password of alice "] {
        let client = fixture
            .client
            .with_credentials(Some(Credentials::new("alice", password)));
        expect_challenge(client.get(&private_tags(fixture)).send());
    }
    fixture
        .signed_in("alice")
        .get(&private_tags(fixture))
        .send()
        .expect_error(404, "NAME_UNKNOWN");
}

fn given_an_unknown_user_when_asked_then_401(fixture: &Fixture<'_>) {
    for name in ["nobody", "", "ALICE", "alice\n"] {
        let client = fixture
            .client
            .with_credentials(Some(Credentials::new(name, "password of alice")));
        expect_challenge(client.get(&private_tags(fixture)).send());
    }
}

fn given_wrong_credentials_when_a_public_repository_is_asked_then_401(fixture: &Fixture<'_>) {
    // Falling back to the anonymous rights would hide a mistyped password.
    let client = fixture
        .client
        .with_credentials(Some(Credentials::new("carol", "wrong")));
    expect_challenge(
        client
            .get(&fixture.repository_under("published").tags_path())
            .send(),
    );
    expect_challenge(client.get("/v2/").send());
}

fn ask_with(client: &Client, path: &str, values: &[&str]) -> Response {
    let request = client.get(path);
    values
        .iter()
        .fold(request, |request, value| request.header("authorization", value))
        .send()
}

fn given_malformed_credentials_when_asked_then_401(fixture: &Fixture<'_>) {
    let path = private_tags(fixture);
    // Not Base64, Base64 of text without a colon, of nothing, of bytes that are no UTF-8.
    for value in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWxpY2U=",
        "Basic Og==",
        "Basic /////w==",
        "alice:password",
        "Basic a b",
    ] {
        expect_challenge(ask_with(&fixture.anonymous(), &path, &[value]));
    }
}

fn given_another_scheme_when_asked_then_401(fixture: &Fixture<'_>) {
    let path = private_tags(fixture);
    for value in ["Bearer abc", "Digest username=\"alice\"", "Negotiate abc"] {
        expect_challenge(ask_with(&fixture.anonymous(), &path, &[value]));
    }
}

fn given_several_authorization_headers_when_asked_then_refused(fixture: &Fixture<'_>) {
    let path = private_tags(fixture);
    let good = crate::environment::user("alice").basic();
    for values in [
        [good.as_str(), good.as_str()],
        [&good, "Bearer abc"],
        ["Bearer abc", &good],
    ] {
        let answer = ask_with(&fixture.anonymous(), &path, &values);
        answer.expect_error_in(&[400, 401], &["UNAUTHORIZED"]);
    }
}

fn given_an_odd_spelling_of_the_scheme_when_signed_in_then_200(fixture: &Fixture<'_>) {
    // RFC 9110 section 11.1: the scheme is not case-sensitive.
    let good = crate::environment::user("alice").basic();
    for scheme in ["basic", "BASIC"] {
        let value = good.replace("Basic", scheme);
        ask_with(&fixture.anonymous(), "/v2/", &[&value]).expect_status(200);
        ask_with(&fixture.anonymous(), &private_tags(fixture), &[&value]).expect_error(404, "NAME_UNKNOWN");
    }
}
