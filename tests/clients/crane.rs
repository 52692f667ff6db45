//! crane: push a layout, tag, copy, append, list, export and delete.

use zas_tests::Repository;

use crate::image_layout::{ImageLayout, assert_holds, digest_in};
use crate::workstation::{PASSWORD, USER, Workstation, words};

fn sign_in(station: &Workstation) {
    let login = [
        "auth",
        "login",
        "-u",
        USER,
        "--password-stdin",
        &station.registry(),
    ];
    station.run_with_input("crane", &login, PASSWORD);
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn given_tls_and_a_login_when_an_index_is_pushed_tagged_and_copied_then_it_is_pulled_unchanged() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let layout = ImageLayout::multi_platform(&station, "image");
    let (first, second) = (
        station.reference("team/app:1.0"),
        station.reference("mirror/app:1.0"),
    );

    // When
    station.run("crane", &["push", &layout.directory, &first]);
    station.run("crane", &["tag", &first, "latest"]);
    station.run("crane", &["copy", &first, &second]);
    station.run("crane", &["pull", "--format", "oci", &second, "pulled"]);

    // Then
    assert_eq!(
        station.run("crane", &["digest", &first]).trim(),
        layout.root.digest
    );
    assert_eq!(
        station.run("crane", &["manifest", &second]).as_bytes(),
        layout.root.bytes
    );
    assert_eq!(digest_in(&station, "pulled"), layout.root.digest);
    assert_holds(&station, "pulled", &layout.images);
    station.run("crane", &["validate", "--remote", &first]);
    assert_eq!(
        lines(&station.run("crane", &["ls", &station.reference("team/app")])),
        ["1.0", "latest"]
    );
    assert_eq!(
        lines(&station.run("crane", &["catalog", &station.registry()])),
        ["mirror/app", "team/app"]
    );
}

#[test]
fn given_an_image_when_a_layer_is_appended_then_its_files_can_be_exported() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let layout = ImageLayout::single(&station, "image");
    let (base, grown) = (
        station.reference("team/base:1.0"),
        station.reference("team/grown:1.0"),
    );
    station.run("crane", &["push", &layout.directory, &base]);
    station.write("more/added.txt", "added\n");
    station.run("tar", &words("-C more -cf more.tar added.txt"));

    // When
    station.run("crane", &["append", "-b", &base, "-f", "more.tar", "-t", &grown]);

    // Then
    station.run("crane", &["export", &grown, "grown.tar"]);
    let files = station.run("tar", &words("-tf grown.tar"));
    assert!(
        files.contains("added.txt") && files.contains("etc/amd64"),
        "{files}"
    );
    assert_eq!(station.run("tar", &words("-xOf grown.tar added.txt")), "added\n");
}

#[test]
fn given_a_pushed_image_when_its_manifest_is_deleted_then_its_tags_are_gone() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let layout = ImageLayout::single(&station, "image");
    let repository = station.reference("team/app");
    station.run(
        "crane",
        &["push", &layout.directory, &format!("{repository}:1.0")],
    );
    station.run("crane", &["tag", &format!("{repository}:1.0"), "latest"]);

    // When
    station.run(
        "crane",
        &["delete", &format!("{repository}@{}", layout.root.digest)],
    );

    // Then
    let seen = Repository::new(&station.http(), "team/app");
    for reference in ["1.0", "latest", layout.root.digest.as_str()] {
        seen.head_manifest(reference).expect_status(404);
    }
    station.run_refused("crane", &["digest", &format!("{repository}:1.0")]);
}

#[test]
fn given_no_login_when_pushing_then_refused() {
    let station = Workstation::with_tls();
    let layout = ImageLayout::single(&station, "image");
    let complaint = station.run_refused(
        "crane",
        &["push", &layout.directory, &station.reference("team/app:1.0")],
    );
    assert!(
        complaint.contains("401") || complaint.contains("UNAUTHORIZED"),
        "{complaint}"
    );
}
