//! podman: build, push, remove and pull images, and push a manifest list.

use serde_json::Value;
use zas_tests::{Repository, media_type};

use crate::workstation::{PASSWORD, USER, Workstation};

fn sign_in(station: &Workstation) {
    station.run_with_input(
        "podman",
        &["login", "-u", USER, "--password-stdin", &station.registry()],
        PASSWORD,
    );
}

/// Builds an image of one file for an architecture and returns its reference.
fn build(station: &Workstation, name: &str, architecture: &str) -> String {
    let reference = station.reference(name);
    station.write("context/hello.txt", format!("hello from {architecture}\n"));
    station.write(
        "context/Containerfile",
        "FROM scratch\nCOPY hello.txt /hello.txt\nCMD [\"/hello\"]\n",
    );
    let platform = format!("linux/{architecture}");
    station.run(
        "podman",
        &["build", "--platform", &platform, "-t", &reference, "context"],
    );
    reference
}

#[test]
fn given_a_built_image_when_pushed_and_pulled_over_tls_then_it_is_the_same_image() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let image = build(&station, "team/built:1.0", "amd64");
    let id =
        |station: &Workstation| station.run("podman", &["image", "inspect", "--format", "{{.Id}}", &image]);
    let built = id(&station);

    // When
    station.run("podman", &["push", &image]);
    station.run("podman", &["image", "rm", "--all", "--force"]);
    station.run_refused("podman", &["image", "inspect", &image]);
    station.run("podman", &["pull", &image]);

    // Then
    assert_eq!(id(&station), built);
    station.run(
        "podman",
        &[
            "image",
            "save",
            "--format",
            "oci-dir",
            "-o",
            &station.argument("saved"),
            &image,
        ],
    );
    let tags = station.run(
        "podman",
        &["search", "--list-tags", &station.reference("team/built")],
    );
    assert!(tags.contains("1.0"), "{tags}");
}

#[test]
fn given_images_of_two_architectures_when_pushed_as_one_list_then_each_can_be_pulled() {
    // Given
    let station = Workstation::with_tls();
    sign_in(&station);
    let images = ["amd64", "arm64"].map(|name| build(&station, &format!("team/part:{name}"), name));
    let list = station.reference("team/list:1.0");
    station.run("podman", &["manifest", "create", &list]);
    for image in &images {
        station.run(
            "podman",
            &["manifest", "add", &list, &format!("containers-storage:{image}")],
        );
    }

    // When
    station.run(
        "podman",
        &[
            "manifest",
            "push",
            "--all",
            "--format",
            "oci",
            &list,
            &format!("docker://{list}"),
        ],
    );

    // Then
    let answer = Repository::new(&station.http(), "team/list")
        .get_manifest("1.0")
        .expect_status(200);
    let index = answer.expect_header("content-type", media_type::INDEX).json();
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(2));
    station.run("podman", &["manifest", "rm", &list]);
    station.run("podman", &["pull", "--platform", "linux/arm64", &list]);
    let inspected: Value =
        serde_json::from_str(&station.run("podman", &["image", "inspect", &list])).expect("JSON");
    assert_eq!(inspected[0]["Architecture"], "arm64");
}

#[test]
fn given_a_wrong_password_when_signing_in_then_refused() {
    let station = Workstation::with_tls();
    let complaint = station.run_refused(
        "podman",
        &["login", "-u", USER, "-p", "wrong", &station.registry()],
    );
    assert!(complaint.contains("invalid username/password"), "{complaint}");
}
