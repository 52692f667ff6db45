//! skopeo: sign in, copy in and out and across, list, inspect, delete.

use serde_json::Value;
use zas_tests::Repository;

use crate::image_layout::{ImageLayout, TAG, assert_holds, digest_in};
use crate::workstation::{PASSWORD, USER, Workstation, words};

fn sign_in(station: &Workstation) {
    station.run_with_input(
        "skopeo",
        &["login", "-u", USER, "--password-stdin", &station.registry()],
        PASSWORD,
    );
}

#[test]
fn given_tls_and_a_login_when_a_multi_platform_image_is_copied_then_it_comes_back_unchanged() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let layout = ImageLayout::multi_platform(&station, "image");
    let source = format!("oci:{}:{TAG}", layout.directory);
    let first = format!("docker://{}", station.reference("team/app:1.0"));
    let second = format!("docker://{}", station.reference("other/place/app:copied"));

    // When it is pushed, copied inside the registry and pulled
    station.run(
        "skopeo",
        &["copy", "--all", "--preserve-digests", &source, &first],
    );
    station.run(
        "skopeo",
        &["copy", "--all", "--preserve-digests", &first, &second],
    );
    station.run(
        "skopeo",
        &[
            "copy",
            "--all",
            "--preserve-digests",
            &second,
            &format!("oci:pulled:{TAG}"),
        ],
    );

    // Then
    assert_eq!(digest_in(&station, "pulled"), layout.root.digest);
    assert_holds(&station, "pulled", &layout.images);
    let raw = station.run("skopeo", &["inspect", "--raw", &first]);
    assert_eq!(
        raw.as_bytes(),
        layout.root.bytes,
        "the manifest is served as pushed"
    );
    let inspected: Value = serde_json::from_str(&station.run("skopeo", &["inspect", &second])).expect("JSON");
    assert_eq!(inspected["Architecture"], "amd64");
}

#[test]
fn given_two_tags_when_listed_and_one_image_is_deleted_then_the_other_stays() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let (one, two) = (
        ImageLayout::single(&station, "one"),
        ImageLayout::multi_platform(&station, "two"),
    );
    let repository = format!("docker://{}", station.reference("team/app"));
    for (layout, tag) in [(&one, "one"), (&two, "two")] {
        let source = format!("oci:{}:{TAG}", layout.directory);
        station.run(
            "skopeo",
            &[
                "copy",
                "--all",
                "--preserve-digests",
                &source,
                &format!("{repository}:{tag}"),
            ],
        );
    }
    let tags = |station: &Workstation| -> Value {
        let listed = station.run("skopeo", &["list-tags", &repository]);
        serde_json::from_str::<Value>(&listed).expect("JSON")["Tags"].clone()
    };
    assert_eq!(tags(&station), serde_json::json!(["one", "two"]));

    // When
    station.run("skopeo", &["delete", &format!("{repository}:two")]);

    // Then
    assert_eq!(tags(&station), serde_json::json!(["one"]));
    let seen = Repository::new(&station.http(), "team/app");
    seen.head_manifest(&two.root.digest).expect_status(404);
    station.run("skopeo", &["inspect", &format!("{repository}:one")]);
}

#[test]
fn given_no_login_or_a_wrong_password_when_asked_then_refused() {
    // Given
    let station = Workstation::with_tls();
    let layout = ImageLayout::single(&station, "image");
    let target = format!("docker://{}", station.reference("team/app:1.0"));

    // When and then
    let complaint = station.run_refused(
        "skopeo",
        &["login", "-u", USER, "-p", "wrong", &station.registry()],
    );
    assert!(complaint.contains("invalid username/password"), "{complaint}");
    let source = format!("oci:{}:{TAG}", layout.directory);
    station.run_refused("skopeo", &["copy", &source, &target]);
    sign_in(&station);
    station.run("skopeo", &["copy", &source, &target]);
    station.run("skopeo", &["logout", &station.registry()]);
    station.run_refused("skopeo", &["inspect", &target]);
}

#[test]
fn given_plain_http_when_an_image_is_converted_to_the_docker_format_then_it_is_kept_in_that_format() {
    // Given
    let station = Workstation::without_tls();
    let login = [
        "login",
        "--tls-verify=false",
        "-u",
        USER,
        "--password-stdin",
        &station.registry(),
    ];
    station.run_with_input("skopeo", &login, PASSWORD);
    let layout = ImageLayout::single(&station, "image");
    let (source, target) = (
        format!("oci:{}:{TAG}", layout.directory),
        station.reference("team/app:docker"),
    );

    // When
    let mut copy = words("copy --format v2s2 --dest-tls-verify=false");
    let target = format!("docker://{target}");
    copy.extend([source.as_str(), target.as_str()]);
    station.run("skopeo", &copy);

    // Then
    let answer = Repository::new(&station.http(), "team/app")
        .get_manifest("docker")
        .expect_status(200);
    answer.expect_header("content-type", zas_tests::media_type::DOCKER_MANIFEST);
    station.run(
        "skopeo",
        &["copy", "--src-tls-verify=false", &target, "dir:pulled"],
    );
}
