//! oras: push and pull files, attach and discover referrers, copy whole graphs, delete.

use serde_json::Value;
use zas_tests::{Repository, random_bytes};

use crate::image_layout::{ImageLayout, TAG};
use crate::workstation::{PASSWORD, USER, Workstation, assert_same_file, words};

const SBOM: &str = "application/vnd.example.sbom.v1+json";
const SIGNATURE: &str = "application/vnd.example.signature.v1";

fn sign_in(station: &Workstation) {
    station.run_with_input(
        "oras",
        &["login", "-u", USER, "--password-stdin", &station.registry()],
        PASSWORD,
    );
}

fn discovered(station: &Workstation, reference: &str, filter: &[&str]) -> Vec<Value> {
    let arguments = [
        &["discover", "--format", "json", "--depth", "1"],
        filter,
        &[reference],
    ]
    .concat();
    let tree: Value = serde_json::from_str(&station.run("oras", &arguments)).expect("JSON");
    tree["referrers"].as_array().cloned().unwrap_or_default()
}

#[test]
fn given_tls_and_a_login_when_files_are_pushed_then_they_are_pulled_unchanged() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    station.write("model.bin", random_bytes(7, 3_000_000));
    station.write("notes.txt", "trained on tuesday\n");
    let artifact = station.reference("ml/model:1.0");

    // When
    let push = [
        "push",
        "--artifact-type",
        "application/vnd.example.model.v1",
        &artifact,
    ];
    let files = ["model.bin:application/octet-stream", "notes.txt:text/plain"];
    station.run("oras", &[&push[..], &files[..]].concat());
    station.run("oras", &["pull", "-o", "pulled", &artifact]);

    // Then
    for name in ["model.bin", "notes.txt"] {
        assert_same_file(&station.path(name), &station.path("pulled").join(name));
    }
    assert_eq!(
        station
            .run("oras", &["repo", "tags", &station.reference("ml/model")])
            .trim(),
        "1.0"
    );
    assert_eq!(
        station.run("oras", &["repo", "ls", &station.registry()]).trim(),
        "ml/model"
    );
    let manifest: Value =
        serde_json::from_str(&station.run("oras", &["manifest", "fetch", &artifact])).expect("JSON");
    assert_eq!(manifest["artifactType"], "application/vnd.example.model.v1");
}

#[test]
fn given_an_image_when_artifacts_are_attached_then_they_are_discovered_filtered_copied_and_deleted() {
    // Given an image with an SBOM, a signature, and a signature of the SBOM
    let station = Workstation::with_tls();
    sign_in(&station);
    let layout = ImageLayout::multi_platform(&station, "image");
    let image = station.reference("team/app:1.0");
    station.run(
        "oras",
        &[
            "cp",
            "-r",
            "--from-oci-layout",
            &format!("{}:{TAG}", layout.directory),
            &image,
        ],
    );
    station.write("sbom.json", "{\"packages\":[\"zlib\"]}");
    station.write("signature", random_bytes(9, 71));
    let attach = |subject: &str, artifact_type: &str, file: &str| -> String {
        let attached = [
            "attach",
            "--format",
            "json",
            "--artifact-type",
            artifact_type,
            subject,
            file,
        ];
        let answer: Value = serde_json::from_str(&station.run("oras", &attached)).expect("JSON");
        answer["digest"].as_str().expect("a digest").to_owned()
    };
    let sbom = attach(&image, SBOM, "sbom.json:application/json");
    let signature = attach(&image, SIGNATURE, "signature:application/octet-stream");
    attach(
        &station.reference(&format!("team/app@{sbom}")),
        SIGNATURE,
        "signature:application/octet-stream",
    );

    // Then both are found, and one by its type
    assert_eq!(discovered(&station, &image, &[]).len(), 2);
    let filtered = discovered(&station, &image, &["--artifact-type", SBOM]);
    assert_eq!(filtered.len(), 1);
    assert_eq!(filtered[0]["digest"], sbom.as_str());
    let fallback = format!("sha256-{}", layout.root.digest.trim_start_matches("sha256:"));
    Repository::new(&station.http(), "team/app")
        .head_manifest(&fallback)
        .expect_status(404);

    // When the image is copied with everything attached to it
    let copy = station.reference("release/app:1.0");
    station.run("oras", &["cp", "-r", &image, &copy]);

    // Then
    assert_eq!(
        station.run("oras", &["resolve", &copy]).trim(),
        layout.root.digest
    );
    assert_eq!(discovered(&station, &copy, &[]).len(), 2);
    assert_eq!(
        discovered(&station, &station.reference(&format!("release/app@{sbom}")), &[]).len(),
        1
    );
    station.run(
        "oras",
        &[
            "pull",
            "-o",
            "pulled",
            &station.reference(&format!("release/app@{sbom}")),
        ],
    );
    assert_same_file(&station.path("sbom.json"), &station.path("pulled/sbom.json"));

    // When one is deleted from the copy
    let attached = station.reference(&format!("release/app@{signature}"));
    station.run("oras", &["manifest", "delete", "--force", &attached]);

    // Then only the copy has lost it
    assert_eq!(discovered(&station, &copy, &[]).len(), 1);
    assert_eq!(discovered(&station, &image, &[]).len(), 2);
}

#[test]
fn given_a_blob_when_pushed_alone_then_it_is_fetched_and_deleted() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    station.write("blob", random_bytes(3, 100_000));
    let repository = station.reference("team/blobs");

    // When
    let pushed = station.run("oras", &["blob", "push", "--descriptor", &repository, "blob"]);
    let descriptor: Value = serde_json::from_str(&pushed).expect("JSON");
    let reference = format!(
        "{repository}@{}",
        descriptor["digest"].as_str().expect("a digest")
    );
    station.run("oras", &["blob", "fetch", "-o", "fetched", &reference]);

    // Then
    assert_same_file(&station.path("blob"), &station.path("fetched"));
    station.run("oras", &["blob", "delete", "--force", &reference]);
    station.run_refused("oras", &["blob", "fetch", "-o", "again", &reference]);
}

#[test]
fn given_plain_http_when_the_password_is_wrong_then_refused_and_right_then_served() {
    let station = Workstation::without_tls();
    let registry = station.registry();
    let login = words("login --plain-http -u alice");
    station.run_refused("oras", &[&login[..], &["-p", "wrong", &registry]].concat());
    station.run("oras", &[&login[..], &["-p", PASSWORD, &registry]].concat());
    station.write("file.txt", "hello\n");
    station.run(
        "oras",
        &[
            "push",
            "--plain-http",
            &station.reference("team/file:1"),
            "file.txt",
        ],
    );
}
