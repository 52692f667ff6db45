//! Configuration in several files that are mounted as Kubernetes mounts them.

use serde_json::json;
use zas_tests::{Blob, Repository, Server};

use crate::operation::wait_until;

const READ_ONLY: &str =
    "configVersion: 1\naccessControl: {repositories: {\"**\": {anonymousPolicy: [read]}}}\n";
const OPEN: &str =
    "configVersion: 1\naccessControl: {repositories: {\"**\": {anonymousPolicy: [read, create, update]}}}\n";

#[test]
fn given_a_mounted_file_when_its_links_are_exchanged_then_what_it_overrides_is_in_force() {
    // Given
    let server = Server::builder()
        .open_to_everybody()
        .mount("hot", &[("hot.yaml", READ_ONLY)])
        .more_configuration("hot/hot.yaml")
        .start();
    let repository = Repository::new(&server.client(), "mounted/repository");
    repository.client.get("/v2/").send().expect_status(200);
    let start = || repository.client.post(&repository.uploads_path()).send().status;
    assert_eq!(start(), 403);

    // When
    server.mounted("hot").exchange(&[("hot.yaml", OPEN)]);

    // Then
    wait_until("pushing is allowed", || start() == 202);
    repository.push_blob(&Blob::random(1, 100)).expect_status(201);

    // When the new content is wrong, then the last good one stays
    server
        .mounted("hot")
        .exchange(&[("hot.yaml", "accessControl: {}\n")]);
    wait_until("the log names the file", || {
        server
            .log()
            .contains("hot/hot.yaml: key \"configVersion\" is missing")
    });
    assert_eq!(start(), 202);
}

#[test]
fn given_a_wrong_second_file_when_started_then_the_exit_code_and_the_place_say_so() {
    let failed = Server::builder()
        .section("limits", json!({"pageSize": 5}))
        .mount(
            "hot",
            &[("hot.yaml", "configVersion: 1\nlimits:\n  pageSize: 0\n")],
        )
        .more_configuration("hot/hot.yaml")
        .start_in_vain(|_| {});
    assert_eq!(failed.code, Some(78));
    assert!(
        failed.output.contains("hot/hot.yaml:3:13: limits.pageSize: "),
        "{}",
        failed.output
    );
}
