//! Bad input: names and tags that try to be something else. Sent byte for byte, since clients tidy paths.

use zas_tests::{Algorithm, Image, Repository, Response};

use super::cases;
use super::manifests::{expect_served, push_blobs};
use crate::fixture::Fixture;

cases!(bad_paths:
    given_names_that_break_the_grammar_when_pushed_then_400,
    given_a_name_that_is_too_long_when_pushed_then_400,
    given_the_longest_name_when_pushed_then_it_is_served,
    given_dot_segments_when_asked_then_refused,
    given_encoded_slashes_when_asked_then_refused,
    given_nul_and_control_bytes_when_asked_then_refused,
    given_backslashes_when_asked_then_refused,
    given_bytes_that_are_no_utf8_when_asked_then_refused,
    given_tags_that_break_the_grammar_when_pushed_then_400,
    given_tags_that_break_the_grammar_when_asked_then_refused,
    given_the_longest_tag_when_pushed_then_it_is_served,
    given_words_of_the_api_in_a_name_when_pushed_then_it_is_served,
    given_an_overlong_path_when_asked_then_refused,
);

/// Sends a request line as it is.
fn raw(fixture: &Fixture<'_>, method: &str, path: &str) -> Response {
    raw_bytes(fixture, method, path.as_bytes())
}

fn raw_bytes(fixture: &Fixture<'_>, method: &str, path: &[u8]) -> Response {
    let mut request = format!("{method} ").into_bytes();
    request.extend_from_slice(path);
    let rest = format!(
        " HTTP/1.1\r\nHost: {}\r\n{}Content-Length: 0\r\nConnection: close\r\n\r\n",
        fixture.client.authority(),
        fixture.client.authorization_line()
    );
    request.extend_from_slice(rest.as_bytes());
    let mut connection = fixture.client.connect();
    connection.send(&request);
    connection.required_response()
}

/// Demands that the server still answers as before.
#[track_caller]
pub(crate) fn expect_alive(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "alive");
    expect_served(&repository, &image.manifest, "alive");
}

const BAD_NAMES: [&str; 14] = [
    "UPPER",
    "Upper/case",
    "under_score_",
    "_under",
    "-hyphen",
    "hyphen-",
    "dot.",
    ".dot",
    "two..dots",
    "three___underscores",
    "a/.hidden",
    "name%20space",
    "caf%C3%A9",
    "a.-b",
];

fn given_names_that_break_the_grammar_when_pushed_then_400(fixture: &Fixture<'_>) {
    let digest = Algorithm::Sha256.digest(b"x");
    for name in BAD_NAMES {
        raw(fixture, "POST", &format!("/v2/{name}/blobs/uploads/")).expect_error(400, "NAME_INVALID");
        raw(fixture, "GET", &format!("/v2/{name}/manifests/latest")).expect_error(400, "NAME_INVALID");
        raw(fixture, "GET", &format!("/v2/{name}/blobs/{digest}")).expect_error(400, "NAME_INVALID");
        raw(fixture, "GET", &format!("/v2/{name}/tags/list")).expect_error(400, "NAME_INVALID");
        raw(fixture, "GET", &format!("/v2/{name}/referrers/{digest}")).expect_error(400, "NAME_INVALID");
    }
    expect_alive(fixture);
}

fn name_of_length(fixture: &Fixture<'_>, length: usize) -> String {
    let mut name = fixture.repository().name;
    while name.len() < length {
        // A component per 50 bytes, which file systems would also take.
        let next = if (name.len() + 1).is_multiple_of(50) && name.len() + 1 < length {
            '/'
        } else {
            'a'
        };
        name.push(next);
    }
    name
}

fn given_a_name_that_is_too_long_when_pushed_then_400(fixture: &Fixture<'_>) {
    for length in [256, 300, 2_000] {
        let repository = Repository::new(&fixture.client, &name_of_length(fixture, length));
        repository
            .client
            .post(&repository.uploads_path())
            .send()
            .expect_error(400, "NAME_INVALID");
        repository
            .get_manifest("latest")
            .expect_error(400, "NAME_INVALID");
    }
}

fn given_the_longest_name_when_pushed_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = Repository::new(&fixture.client, &name_of_length(fixture, 255));
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    expect_served(&repository, &image.manifest, "v1");
}

#[track_caller]
fn expect_refused(answer: Response) {
    let answer = answer.expect_status_in(&[400, 404]);
    if answer.header("content-type") == Some("application/json") {
        answer.error_codes();
    }
}

fn given_dot_segments_when_asked_then_refused(fixture: &Fixture<'_>) {
    for path in [
        "/v2/../v2/secret/manifests/latest",
        "/v2/a/../b/manifests/latest",
        "/v2/a/%2e%2e/b/manifests/latest",
        "/v2/a/manifests/../../../../etc/passwd",
        "/v2/a/manifests/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/v2/./a/manifests/latest",
        "/v2/../../../../etc/passwd",
        "/v2/a/blobs/..",
        "/v2/a/blobs/uploads/..",
        "/v2/a/blobs/uploads/%2e%2e",
        "/../etc/passwd",
    ] {
        expect_refused(raw(fixture, "GET", path));
    }
    for path in ["/v2/../a/blobs/uploads/", "/v2/a/%2e%2e/blobs/uploads/"] {
        expect_refused(raw(fixture, "POST", path));
    }
    expect_alive(fixture);
}

fn given_encoded_slashes_when_asked_then_refused(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    let encoded = repository.name.replace('/', "%2F");
    // Whether an encoded slash separates components or not, it must not reach a rule-free repository.
    let answer =
        raw(fixture, "GET", &format!("/v2/{encoded}/manifests/v1")).expect_status_in(&[200, 400, 404]);
    if answer.status == 200 {
        answer.expect_body(&image.manifest.bytes);
    }
    let private = fixture.repository_under("private").name.replace('/', "%2f");
    for path in [
        format!("/v2/{private}/tags/list"),
        format!("/v2/{private}/manifests/v1"),
    ] {
        let request = fixture.anonymous();
        let mut connection = request.connect();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            request.authority()
        );
        connection.send(head.as_bytes());
        connection
            .required_response()
            .expect_status_in(&[400, 401, 403, 404]);
    }
    expect_refused(raw(fixture, "PUT", "/v2/a/manifests/%2Fetc%2Fpasswd"));
    expect_refused(raw(fixture, "GET", "/v2/a/blobs/sha256%3A..%2F..%2Fetc"));
}

fn given_nul_and_control_bytes_when_asked_then_refused(fixture: &Fixture<'_>) {
    for byte in ["%00", "%01", "%0A", "%0D%0A", "%1F", "%7F"] {
        for path in [
            format!("/v2/a{byte}b/manifests/latest"),
            format!("/v2/a/manifests/la{byte}test"),
            format!("/v2/a/manifests/latest{byte}"),
            format!("/v2/a/blobs/sha256:{byte}"),
            format!("/v2/a/referrers/sha256:{byte}"),
            format!("/v2/a/blobs/uploads/{byte}"),
        ] {
            expect_refused(raw(fixture, "GET", &path));
        }
    }
    raw_bytes(fixture, "GET", b"/v2/a\0b/manifests/latest").expect_status(400);
    expect_alive(fixture);
}

fn given_backslashes_when_asked_then_refused(fixture: &Fixture<'_>) {
    for path in [
        "/v2/a\\b/manifests/latest",
        "/v2/a%5Cb/manifests/latest",
        "/v2/a/manifests/..%5C..%5Cetc",
        "/v2/..%5C..%5Cetc/tags/list",
        "/v2/a/blobs/uploads/..%5C..",
    ] {
        expect_refused(raw(fixture, "GET", path));
    }
}

fn given_bytes_that_are_no_utf8_when_asked_then_refused(fixture: &Fixture<'_>) {
    for path in [
        "/v2/%FF/manifests/latest",
        "/v2/a/manifests/%C3%28",
        "/v2/a/blobs/%80",
        "/v2/a/manifests/%",
        "/v2/%zz/tags/list",
    ] {
        expect_refused(raw(fixture, "GET", path));
    }
    for path in [&b"/v2/\xff\xfe/manifests/latest"[..], b"/v2/a/manifests/\xc3\x28"] {
        raw_bytes(fixture, "GET", path).expect_status_in(&[400, 404]);
    }
    expect_alive(fixture);
}

const BAD_TAGS: [&str; 9] = [
    ".dot",
    "-hyphen",
    "a%20b",
    "caf%C3%A9",
    "a+b",
    "a@b",
    "a,b",
    "a%2Fb",
    "a%25",
];

pub(crate) fn put_tag(fixture: &Fixture<'_>, repository: &Repository, tag: &str) -> Response {
    let manifest = push_blobs(repository, Image::new(fixture.seed()).layers(0).build());
    let path = format!("/v2/{}/manifests/{tag}", repository.name);
    repository
        .client
        .put(&path)
        .header("content-type", &manifest.media_type)
        .body(&manifest.bytes)
        .send()
}

fn given_tags_that_break_the_grammar_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let too_long = "a".repeat(129);
    for tag in BAD_TAGS.into_iter().chain([too_long.as_str()]) {
        put_tag(fixture, &repository, tag).expect_error(400, "MANIFEST_INVALID");
    }
    repository
        .client
        .get(&repository.tags_path())
        .send()
        .expect_error(404, "NAME_UNKNOWN");
}

fn given_tags_that_break_the_grammar_when_asked_then_refused(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for tag in BAD_TAGS {
        expect_refused(
            repository
                .client
                .get(&format!("/v2/{}/manifests/{tag}", repository.name))
                .send(),
        );
        expect_refused(
            repository
                .client
                .delete(&format!("/v2/{}/manifests/{tag}", repository.name))
                .send(),
        );
    }
}

fn given_the_longest_tag_when_pushed_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for tag in [
        "a".repeat(128),
        "_".to_owned(),
        "A.b-C_d..--__".to_owned(),
        "0".to_owned(),
    ] {
        put_tag(fixture, &repository, &tag).expect_status(201);
        repository.get_manifest(&tag).expect_status(200);
    }
}

fn given_words_of_the_api_in_a_name_when_pushed_then_it_is_served(fixture: &Fixture<'_>) {
    // A name may hold what looks like another part of the path: the last such part counts.
    for part in [
        "blobs",
        "manifests/x",
        "tags/list",
        "blobs/uploads",
        "referrers",
        "v2",
        "manifests",
    ] {
        let repository = Repository::new(&fixture.client, &format!("{}/{part}", fixture.repository().name));
        let image = Image::new(fixture.seed()).build();
        repository.push(&image, "v1");
        expect_served(&repository, &image.manifest, "v1");
        let listed = repository
            .client
            .get(&repository.tags_path())
            .send()
            .expect_status(200)
            .json();
        assert_eq!(listed["name"], repository.name);
        repository.get_blob(&image.blobs[0].digest).expect_status(200);
        let referrers = repository
            .client
            .get(&repository.referrers_path(&image.manifest.digest))
            .send();
        referrers.expect_status(200);
        repository
            .delete_manifest(&image.manifest.digest)
            .expect_status(202);
    }
}

fn given_an_overlong_path_when_asked_then_refused(fixture: &Fixture<'_>) {
    for length in [10_000, 60_000] {
        let path = format!("/v2/{}/manifests/latest", "a".repeat(length));
        raw(fixture, "GET", &path).expect_status_in(&[400, 414, 431]);
    }
    expect_alive(fixture);
}
