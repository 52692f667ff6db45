//! Bad input: manifests that are none.

use serde_json::{Value, json};
use zas_tests::{Algorithm, Blob, Document, Image, Repository, Response, media_type};

use super::bad_paths::expect_alive;
use super::cases;
use crate::fixture::Fixture;

cases!(bad_content:
    given_bytes_that_are_no_json_when_pushed_then_400,
    given_json_that_is_no_manifest_when_pushed_then_400,
    given_wrong_descriptors_when_pushed_then_400,
    given_a_media_type_that_contradicts_the_header_when_pushed_then_400,
    given_a_content_type_that_is_no_manifest_when_pushed_then_refused,
    given_neither_type_when_pushed_then_400,
    given_layers_and_manifests_when_pushed_then_400,
    given_too_many_references_when_pushed_then_400,
    given_as_many_references_as_allowed_when_pushed_then_201,
    given_deep_nesting_when_pushed_then_400,
    given_a_repeated_field_when_pushed_then_400_or_stored_as_it_is,
    given_a_long_artifact_type_when_pushed_then_400,
    given_wrong_annotations_when_pushed_then_400,
    given_schema_version_1_when_pushed_then_refused,
    given_lists_that_old_tools_write_as_null_when_pushed_then_201,
    given_bytes_that_are_no_text_inside_a_manifest_when_pushed_then_400,
);

/// The default of `limits.manifestReferences`.
const REFERENCES: usize = 4_096;

fn put(repository: &Repository, own_type: &str, body: &[u8]) -> Response {
    let request = repository.client.put(&repository.manifest_path("bad"));
    request.header("content-type", own_type).body(body).send()
}

#[track_caller]
fn expect_invalid(repository: &Repository, own_type: &str, body: &[u8]) {
    put(repository, own_type, body).expect_error(400, "MANIFEST_INVALID");
    repository.head_manifest("bad").expect_status(404);
}

fn given_bytes_that_are_no_json_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let bodies: [&[u8]; 9] = [
        b"",
        b" ",
        b"{",
        b"not json",
        b"\0\0\0\0",
        b"\xff\xfe{}",
        b"{}{}",
        b"{\"schemaVersion\":2,}",
        b"NaN",
    ];
    for own_type in [
        media_type::MANIFEST,
        media_type::INDEX,
        media_type::DOCKER_MANIFEST,
        media_type::DOCKER_LIST,
    ] {
        for body in bodies {
            expect_invalid(&repository, own_type, body);
        }
    }
    expect_alive(fixture);
}

fn given_json_that_is_no_manifest_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build().manifest.json();
    let without = |name: &str| {
        let mut content = image.clone();
        content.as_object_mut().unwrap().remove(name);
        content
    };
    let with = |name: &str, value: Value| {
        let mut content = image.clone();
        content[name] = value;
        content
    };
    for content in [
        json!(null),
        json!([]),
        json!("text"),
        json!(7),
        json!({}),
        json!({"schemaVersion": 2, "mediaType": media_type::MANIFEST}),
        without("schemaVersion"),
        without("config"),
        with("schemaVersion", json!(1)),
        with("schemaVersion", json!("2")),
        with("schemaVersion", json!(-2)),
        with("config", json!([])),
        with("config", json!(null)),
        with("layers", json!({})),
        with("layers", json!([null])),
        with("layers", json!(["sha256:abc"])),
        with("subject", json!("sha256:abc")),
        with("mediaType", json!(5)),
    ] {
        expect_invalid(&repository, media_type::MANIFEST, content.to_string().as_bytes());
    }
    for content in [
        json!({"schemaVersion": 2, "mediaType": media_type::INDEX}),
        json!({"schemaVersion": 2, "manifests": {}}),
    ] {
        expect_invalid(&repository, media_type::INDEX, content.to_string().as_bytes());
    }
}

fn given_lists_that_old_tools_write_as_null_when_pushed_then_201(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let (oci, docker) = (Image::new(fixture.seed()), Image::new(fixture.seed()).docker());
    for image in [oci, docker] {
        let package = image.layers(0).build();
        for blob in &package.blobs {
            repository.push_blob(blob);
        }
        let mut content = package.manifest.json();
        content.as_object_mut().unwrap().remove("layers");
        let absent = content.clone();
        content["layers"] = json!(null);
        content["manifests"] = json!(null);
        for content in [absent, content] {
            let document = Document::new(&content, &package.manifest.media_type, Algorithm::Sha256);
            repository.push_manifest(&document, &document.digest);
        }
    }
    for media_type in [media_type::INDEX, media_type::DOCKER_LIST] {
        let content = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": null});
        let document = Document::new(&content, media_type, Algorithm::Sha256);
        repository.push_manifest(&document, &document.digest);
    }
}

fn given_bytes_that_are_no_text_inside_a_manifest_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let package = Image::new(fixture.seed()).field("note", json!("?")).build();
    for blob in &package.blobs {
        repository.push_blob(blob);
    }
    let mut bytes = package.manifest.bytes;
    let place = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[place] = 0xff;
    expect_invalid(&repository, media_type::MANIFEST, &bytes);
}

fn given_wrong_descriptors_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let good = Blob::random(fixture.seed(), 10).descriptor(media_type::LAYER);
    let changes = [
        ("digest", json!("sha256:abc")),
        ("digest", json!("md5:d41d8cd98f00b204e9800998ecf8427e")),
        ("digest", json!("../../etc/passwd")),
        ("digest", json!(null)),
        ("size", json!(-1)),
        ("size", json!(1.5)),
        ("size", json!("10")),
        ("size", json!(1e30)),
        ("size", json!(null)),
        ("mediaType", json!(null)),
        ("mediaType", json!(1)),
    ];
    for (name, value) in changes {
        let mut wrong = good.clone();
        wrong[name] = value;
        for field in ["layers", "config", "subject"] {
            let value = if field == "layers" {
                json!([wrong])
            } else {
                wrong.clone()
            };
            let manifest = Image::new(fixture.seed()).field(field, value).build().manifest;
            expect_invalid(&repository, media_type::MANIFEST, &manifest.bytes);
        }
        let index = json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": [wrong]});
        expect_invalid(&repository, media_type::INDEX, index.to_string().as_bytes());
    }
}

fn given_a_media_type_that_contradicts_the_header_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    for blob in &image.blobs {
        repository.push_blob(blob);
    }
    for own_type in [
        media_type::DOCKER_MANIFEST,
        media_type::INDEX,
        media_type::DOCKER_LIST,
    ] {
        expect_invalid(&repository, own_type, &image.manifest.bytes);
    }
}

fn given_a_content_type_that_is_no_manifest_when_pushed_then_refused(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let mut content = Image::new(fixture.seed()).build().manifest.json();
    content.as_object_mut().unwrap().remove("mediaType");
    for own_type in [
        "text/plain",
        "application/json",
        "application/octet-stream",
        "nonsense",
        "application/vnd.oci.image.config.v1+json",
    ] {
        let answer = put(&repository, own_type, content.to_string().as_bytes());
        answer.expect_error(400, "MANIFEST_INVALID");
    }
    repository.head_manifest("bad").expect_status(404);
}

fn given_neither_type_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let mut content = Image::new(fixture.seed()).build().manifest.json();
    content.as_object_mut().unwrap().remove("mediaType");
    let request = repository
        .client
        .put(&repository.manifest_path("bad"))
        .body(content.to_string().as_bytes());
    request.send().expect_error(400, "MANIFEST_INVALID");
}

fn given_layers_and_manifests_when_pushed_then_400(fixture: &Fixture<'_>) {
    // One client would run the image, another the index: an old trick to hide content.
    let repository = fixture.repository();
    let manifest = Image::new(fixture.seed())
        .field("manifests", json!([]))
        .build()
        .manifest;
    expect_invalid(&repository, media_type::MANIFEST, &manifest.bytes);
    let mut index = manifest.json();
    index["mediaType"] = json!(media_type::INDEX);
    expect_invalid(&repository, media_type::INDEX, index.to_string().as_bytes());
}

/// An index of so many absent children, which the default policy accepts.
fn wide_index(count: usize) -> Vec<u8> {
    let entry = |number: usize| Blob::new(number.to_string()).descriptor(media_type::MANIFEST);
    let manifests: Vec<Value> = (0..count).map(entry).collect();
    json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": manifests})
        .to_string()
        .into_bytes()
}

fn given_too_many_references_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    expect_invalid(&repository, media_type::INDEX, &wide_index(REFERENCES + 1));
}

fn given_as_many_references_as_allowed_when_pushed_then_201(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    put(&repository, media_type::INDEX, &wide_index(REFERENCES)).expect_status(201);
    repository.delete_manifest("bad").expect_status(202);
}

fn given_deep_nesting_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for depth in [10_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = format!(
                "{}1{}",
                open.repeat(depth / open.len()),
                close.repeat(depth / open.len())
            );
            let body = format!("{{\"schemaVersion\":2,\"extra\":{inner}}}");
            expect_invalid(&repository, media_type::MANIFEST, body.as_bytes());
        }
        expect_invalid(&repository, media_type::MANIFEST, "[".repeat(depth).as_bytes());
    }
    expect_alive(fixture);
}

fn given_a_repeated_field_when_pushed_then_400_or_stored_as_it_is(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    for blob in &image.blobs {
        repository.push_blob(blob);
    }
    let text = String::from_utf8(image.manifest.bytes).unwrap();
    let repeated = text.replacen('{', "{\"schemaVersion\":2,", 1);
    let answer = put(&repository, media_type::MANIFEST, repeated.as_bytes()).expect_status_in(&[201, 400]);
    if answer.status == 201 {
        repository
            .get_manifest("bad")
            .expect_status(200)
            .expect_body(repeated.as_bytes());
    }
}

fn given_a_long_artifact_type_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let own_type = format!("application/{}", "a".repeat(255));
    let manifest = Image::new(fixture.seed())
        .field("artifactType", json!(own_type))
        .build()
        .manifest;
    expect_invalid(&repository, media_type::MANIFEST, &manifest.bytes);
}

fn given_wrong_annotations_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for annotations in [
        json!([]),
        json!("text"),
        json!({"a": 1}),
        json!({"a": {"b": "c"}}),
    ] {
        let manifest = Image::new(fixture.seed())
            .annotations(annotations)
            .build()
            .manifest;
        expect_invalid(&repository, media_type::MANIFEST, &manifest.bytes);
    }
}

fn given_schema_version_1_when_pushed_then_refused(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let content = json!({"schemaVersion": 1, "name": "a/b", "tag": "latest", "fsLayers": [], "history": []});
    for own_type in [
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    ] {
        let answer = put(&repository, own_type, content.to_string().as_bytes());
        answer.expect_error(400, "MANIFEST_INVALID");
    }
}
