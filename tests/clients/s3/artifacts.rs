//! Objects as artifacts: what aws-cli has put, oras and crane pull.

use std::thread;
use std::time::{Duration, Instant};

use zas_tests::random_bytes;

use super::{aws, python, workstation};
use crate::workstation::{PASSWORD, USER, assert_same_file};

/// A busy machine may take long to read 21 MB.
const DIGEST_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn given_an_object_when_oras_pulls_it_from_the_repository_of_its_bucket_then_it_is_the_file() {
    // Given
    let station = workstation(false);
    station.write("note.txt", "twelve bytes");
    station.write("model.bin", random_bytes(5, 3_000_000));
    aws(&station, "s3 mb s3://models");
    aws(&station, "s3 cp model.bin s3://models/model.bin");
    station.run(
        &python("aws"),
        &["s3", "cp", "note.txt", "s3://models/dir/a note.txt"],
    );
    let host = station.registry();
    let oras = |arguments: &[&str]| {
        let credentials = ["--plain-http", "-u", USER, "-p", PASSWORD];
        station.run("oras", &[arguments, &credentials].concat())
    };
    let (model, note) = (
        format!("{host}/s3/models:model.bin"),
        format!("{host}/s3/models:dir_2Fa_20note.txt"),
    );

    // When
    oras(&["pull", "-o", "out", &model]);
    oras(&["pull", "-o", "out", &note]);

    // Then
    assert_same_file(&station.path("model.bin"), &station.path("out/model.bin"));
    assert_same_file(&station.path("note.txt"), &station.path("out/a note.txt"));
    assert_eq!(
        oras(&["repo", "tags", &format!("{host}/s3/models")]),
        "model.bin\n"
    );
    let manifest = oras(&["manifest", "fetch", &model]);
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("a manifest is JSON");
    assert_eq!(
        manifest["artifactType"],
        "application/vnd.candlekeep.zas.object.v1"
    );
    assert_eq!(manifest["layers"][0]["size"], 3_000_000);

    // When it is replaced, the tag leads to the new one and nothing to the old one.
    station.write("model.bin", random_bytes(6, 2_000_000));
    let old = oras(&["resolve", &model]);
    aws(&station, "s3 cp model.bin s3://models/model.bin");
    oras(&["pull", "-o", "new", &model]);
    assert_same_file(&station.path("model.bin"), &station.path("new/model.bin"));
    let old = format!("/v2/s3/models/manifests/{}", old.trim());
    station
        .http()
        .get(&old)
        .send()
        .expect_error(404, "MANIFEST_UNKNOWN");
}

#[test]
fn given_an_object_in_parts_when_its_digest_is_computed_then_oras_pulls_it_and_boto3_is_told_its_reference() {
    // Given a file above 8 MB, which aws-cli sends in parts
    let station = workstation(false);
    station.write("large.bin", random_bytes(7, 21_000_001));
    aws(&station, "s3 mb s3://models");
    aws(&station, "s3 cp large.bin s3://models/large.bin");
    let path = "/v2/s3/models/manifests/large.bin";

    // When
    let begun = Instant::now();
    let answer = loop {
        let answer = station.http().get(path).send();
        if answer.status == 200 {
            break answer;
        }
        answer
            .expect_error(404, "MANIFEST_UNKNOWN")
            .expect_header("retry-after", "5");
        assert!(begun.elapsed() < DIGEST_LIMIT, "the digest is not computed");
        thread::sleep(Duration::from_millis(100));
    };

    // Then
    let model = format!("{}/s3/models:large.bin", station.registry());
    station.run(
        "oras",
        &[
            "pull",
            "-o",
            "out",
            &model,
            "--plain-http",
            "-u",
            USER,
            "-p",
            PASSWORD,
        ],
    );
    assert_same_file(&station.path("large.bin"), &station.path("out/large.bin"));
    let told = station.run(
        &python("python3"),
        &[
            "-c",
            "import boto3, os; s3 = boto3.client('s3'); \
             print(s3.head_object(Bucket='models', Key='large.bin')['ResponseMetadata']['HTTPHeaders']['x-zas-reference'])",
        ],
    );
    let digest = answer.required_header("docker-content-digest");
    assert_eq!(told.trim(), format!("s3/models:large.bin@{digest}"));
}
