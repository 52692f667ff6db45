//! What the README tells people to type works: `make run` is started for real and the commands are run against it.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a broken expectation fails the test"
)]

mod blocks;
mod running;

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::blocks::tested_blocks;
use crate::running::{Running, repository};

/// The PATH, and behind everything else the S3 clients.
fn path_with_s3_clients() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let python = std::env::var("ZAS_PYTHON").expect("`source hack/environment.sh` names it");
    format!("{path}:{python}/bin")
}

/// Runs shell commands in `directory`, which is also their home.
#[track_caller]
fn paste(directory: &Path, registry: &str, password: &str, commands: &str) {
    let storage = directory.join("storage.conf");
    let places = |name: &str| directory.join(name).display().to_string();
    // Plain directories instead of overlay mounts, which need privileges.
    let driver = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
        places("containers"),
        places("containers-run")
    );
    fs::write(&storage, driver).expect("the temporary directory is writable");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", commands])
        .current_dir(directory)
        .env("HOME", directory)
        .env("REGISTRY_AUTH_FILE", directory.join("auth.json"))
        .env("CONTAINERS_STORAGE_CONF", storage)
        .env_remove("XDG_RUNTIME_DIR")
        .env_remove("DOCKER_CONFIG")
        .env("PATH", path_with_s3_clients())
        .env("REGISTRY", registry)
        .env("PASSWORD", password)
        .output()
        .expect("bash is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "these commands ended with {} (hack/setup.sh test installs the clients):\n{commands}\n---\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
}

/// A directory to paste into, with the file that the commands push.
fn place_with_readme(directory: &Path, name: &str) -> std::path::PathBuf {
    let place = directory.join(name);
    fs::create_dir_all(&place).expect("the temporary directory is writable");
    fs::copy(repository().join("README.md"), place.join("README.md")).expect("there is a README");
    place
}

#[track_caller]
fn assert_pulled(place: &Path, pulled: &str) {
    let read = |path: &Path| fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        read(&place.join(pulled)) == read(&place.join("README.md")),
        "{pulled} is not the file that was pushed"
    );
}

#[test]
fn given_make_run_when_the_commands_of_the_readme_are_pasted_then_they_work() {
    // Given
    let directory = tempfile::Builder::new()
        .prefix("zas-readme-")
        .tempdir()
        .expect("a temporary directory");
    let running = Running::start(directory.path());
    let registry = running.printed("URL").trim_start_matches("http://").to_owned();
    let password = running.printed("password").to_owned();

    // When the README's blocks are pasted
    let readme = fs::read_to_string(repository().join("README.md")).expect("there is a README");
    let blocks = tested_blocks(&readme);
    assert!(
        blocks.len() >= 4,
        "the README has only {} blocks marked for testing",
        blocks.len()
    );
    let place = place_with_readme(directory.path(), "readme");
    for block in &blocks {
        paste(&place, &registry, &password, block);
    }

    // Then the file came back
    assert_pulled(&place, "pulled/README.md");

    // When the lines that make run offers are pasted
    let offered = running.offered_commands();
    assert_eq!(
        offered.len(),
        5,
        "make run offers one line to push, one to pull, and three for S3:\n{}",
        running.said()
    );
    let place = place_with_readme(directory.path(), "offered");
    paste(
        &place,
        &registry,
        "not needed: it is in the lines",
        &offered.join("\n"),
    );

    // Then
    let pulled = if place.join("pulled").is_dir() {
        "pulled/README.md"
    } else {
        "pulled.md"
    };
    assert_pulled(&place, pulled);

    // When it is interrupted, then the server goes too
    running.interrupt();
    assert!(
        TcpStream::connect(&registry).is_err(),
        "the server still listens on {registry}"
    );
}

#[test]
fn given_a_user_that_exists_when_run_again_then_the_server_starts_and_no_password_is_made() {
    // Given
    let directory = tempfile::Builder::new()
        .prefix("zas-readme-")
        .tempdir()
        .expect("a temporary directory");
    let htpasswd = directory.path().join("data/htpasswd");
    Running::start(directory.path()).interrupt();
    let first = fs::read_to_string(&htpasswd).expect("a password file");

    // When
    let running = Running::start(directory.path());

    // Then
    assert!(running.printed("password").starts_with("as printed"));
    assert_eq!(fs::read_to_string(&htpasswd).expect("a password file"), first);
    running.interrupt();
}
