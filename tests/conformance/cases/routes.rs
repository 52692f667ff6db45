//! Methods and paths that nothing answers, and the listener for operations.

use std::collections::BTreeSet;

use zas_tests::{Algorithm, Image};

use super::cases;
use crate::fixture::Fixture;

cases!(routes:
    given_a_wrong_method_when_asked_then_405_and_what_is_allowed,
    given_an_unknown_path_when_asked_then_404,
    given_the_operations_listener_when_asked_then_it_is_healthy,
    given_the_public_listener_when_probes_are_asked_then_404,
    given_the_extensions_when_discovered_then_a_list,
    given_the_version_check_when_asked_then_the_api_is_named,
);

fn given_a_wrong_method_when_asked_then_405_and_what_is_allowed(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    repository.push(&Image::new(fixture.seed()).build(), "v1");
    let digest = Algorithm::Sha256.digest(b"x");
    let upload = repository.start_upload();
    let cases: [(&str, String, &str); 8] = [
        ("POST", repository.manifest_path("v1"), "DELETE GET HEAD PUT"),
        ("PUT", repository.blob_path(&digest), "DELETE GET HEAD"),
        ("GET", repository.uploads_path(), "POST"),
        ("POST", upload.path().to_owned(), "DELETE GET PATCH PUT"),
        ("DELETE", repository.tags_path(), "GET"),
        ("PUT", repository.referrers_path(&digest), "GET"),
        ("POST", "/v2/_catalog".to_owned(), "GET"),
        ("DELETE", "/v2/".to_owned(), "GET"),
    ];
    for (method, path, allowed) in cases {
        let answer = fixture
            .client
            .request(method, &path)
            .send()
            .expect_error(405, "UNSUPPORTED");
        let found: BTreeSet<&str> = answer
            .header_values("allow")
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        for method in allowed.split(' ') {
            assert!(
                found.contains(method),
                "{}: Allow says {found:?}, {method} is missing",
                answer.request
            );
        }
        assert!(
            !found.contains(method),
            "{}: Allow names the refused method",
            answer.request
        );
    }
    upload.cancel().expect_status(204);
}

fn given_an_unknown_path_when_asked_then_404(fixture: &Fixture<'_>) {
    let name = fixture.repository().name;
    for path in [
        format!("/v2/{name}"),
        format!("/v2/{name}/"),
        format!("/v2/{name}/unknown/x"),
        format!("/v2/{name}/manifests"),
        format!("/v2/{name}/tags"),
        format!("/v2/{name}/tags/other"),
        "/v2/_unknown/x/y".to_owned(),
        "/v1/".to_owned(),
        "/v3/".to_owned(),
        "/unknown".to_owned(),
    ] {
        fixture.client.get(&path).send().expect_status(404);
    }
}

fn given_the_operations_listener_when_asked_then_it_is_healthy(fixture: &Fixture<'_>) {
    let Some(operations) = fixture.environment.operations() else {
        return;
    };
    for path in ["/livez", "/readyz", "/startupz", "/metrics"] {
        operations.get(path).send().expect_status(200);
    }
    operations.get("/v2/").send().expect_status(404);
}

fn given_the_public_listener_when_probes_are_asked_then_404(fixture: &Fixture<'_>) {
    for path in ["/livez", "/readyz", "/startupz", "/metrics"] {
        fixture.client.get(path).send().expect_status(404);
    }
}

fn given_the_extensions_when_discovered_then_a_list(fixture: &Fixture<'_>) {
    let answer = fixture
        .client
        .get("/v2/_oci/ext/discover")
        .send()
        .expect_status(200);
    let answer = answer.expect_header("content-type", "application/json");
    assert!(answer.json()["extensions"].is_array(), "{}", answer.text());
}

fn given_the_version_check_when_asked_then_the_api_is_named(fixture: &Fixture<'_>) {
    // Docker engines of older releases look for it.
    let answer = fixture.client.get("/v2/").send().expect_status(200);
    answer.expect_header("docker-distribution-api-version", "registry/2.0");
}
