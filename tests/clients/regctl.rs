//! regctl: copy with referrers, artifacts, tags and manifests, over plain HTTP and over TLS.

use serde_json::Value;
use zas_tests::Repository;

use crate::image_layout::{ImageLayout, TAG, assert_holds, digest_in};
use crate::workstation::{PASSWORD, USER, Workstation};

fn sign_in(station: &Workstation) {
    let registry = station.registry();
    let tls = if station.server.certificate().is_some() {
        "enabled"
    } else {
        "disabled"
    };
    station.run(
        "regctl",
        &["registry", "set", "--skip-check", "--tls", tls, &registry],
    );
    station.run_with_input(
        "regctl",
        &["registry", "login", "-u", USER, "--pass-stdin", &registry],
        PASSWORD,
    );
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn given_plain_http_and_a_login_when_an_index_is_copied_then_it_comes_back_unchanged() {
    // Given
    let station = Workstation::without_tls();
    sign_in(&station);
    let layout = ImageLayout::multi_platform(&station, "image");
    let (first, second) = (
        station.reference("team/app:1.0"),
        station.reference("mirror/app:2.0"),
    );

    // When
    station.run(
        "regctl",
        &[
            "image",
            "copy",
            &format!("ocidir://{}:{TAG}", layout.directory),
            &first,
        ],
    );
    station.run("regctl", &["image", "copy", &first, &second]);
    station.run(
        "regctl",
        &["image", "copy", &second, &format!("ocidir://pulled:{TAG}")],
    );

    // Then
    assert_eq!(digest_in(&station, "pulled"), layout.root.digest);
    assert_holds(&station, "pulled", &layout.images);
    assert_eq!(
        station.run("regctl", &["image", "digest", &second]).trim(),
        layout.root.digest
    );
    assert_eq!(
        lines(&station.run("regctl", &["tag", "ls", &station.reference("team/app")])),
        ["1.0"]
    );
    assert_eq!(
        lines(&station.run("regctl", &["repo", "ls", &station.registry()])),
        ["mirror/app", "team/app"]
    );
}

#[test]
fn given_two_tags_of_one_image_when_one_is_removed_then_the_image_stays_under_the_other() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let layout = ImageLayout::single(&station, "image");
    let repository = station.reference("team/app");
    for tag in ["keep", "drop"] {
        let source = format!("ocidir://{}:{TAG}", layout.directory);
        station.run(
            "regctl",
            &["image", "copy", &source, &format!("{repository}:{tag}")],
        );
    }

    // When
    station.run("regctl", &["tag", "rm", &format!("{repository}:drop")]);

    // Then
    assert_eq!(
        lines(&station.run("regctl", &["tag", "ls", &repository])),
        ["keep"]
    );
    let seen = Repository::new(&station.http(), "team/app");
    seen.head_manifest(&layout.root.digest).expect_status(200);

    // When the manifest goes too
    station.run(
        "regctl",
        &[
            "manifest",
            "delete",
            &format!("{repository}@{}", layout.root.digest),
        ],
    );

    // Then
    seen.head_manifest("keep").expect_status(404);
}

#[test]
fn given_an_artifact_on_an_image_when_the_image_is_copied_with_referrers_then_the_artifact_follows() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let layout = ImageLayout::single(&station, "image");
    let (first, second) = (
        station.reference("team/app:1.0"),
        station.reference("mirror/app:1.0"),
    );
    station.run(
        "regctl",
        &[
            "image",
            "copy",
            &format!("ocidir://{}:{TAG}", layout.directory),
            &first,
        ],
    );
    let bill = "{\"packages\":[]}";
    let artifact_type = "application/vnd.example.sbom.v1+json";
    let put = [
        "artifact",
        "put",
        "--artifact-type",
        artifact_type,
        "--subject",
        &first,
    ];
    station.run_with_input("regctl", &put, bill);

    // When
    station.run("regctl", &["image", "copy", "--referrers", &first, &second]);

    // Then
    let listed = station.run(
        "regctl",
        &["artifact", "list", "--format", "{{json .Descriptors}}", &second],
    );
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed[0]["artifactType"], artifact_type);
    let pulled = station.run(
        "regctl",
        &[
            "artifact",
            "get",
            "--subject",
            &second,
            "--filter-artifact-type",
            artifact_type,
        ],
    );
    assert_eq!(pulled, bill);
}
