//! Operating a server: reloading while it runs, stopping without cutting off, probes and metrics.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zas_tests::{Blob, Certificate, Client, Image, Metadata, Repository, Server};

/// The server looks at its files every two seconds; a busy machine gets more.
const RELOAD_LIMIT: Duration = Duration::from_secs(20);

#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let limit = Instant::now() + RELOAD_LIMIT;
    while !is_so() {
        assert!(Instant::now() < limit, "after {RELOAD_LIMIT:?} still not: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn configuration(server: &Server) -> Value {
    let text = std::fs::read_to_string(server.directory().join("config.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn given_a_running_server_when_its_rules_change_then_they_apply_without_a_restart() {
    let server = Server::builder().open_to_everybody().start();
    let repository = Repository::new(&server.client(), "hot/repository");
    let process = server.process_id();
    repository.push_blob(&Blob::random(1, 100)).expect_status(201);

    let mut changed = configuration(&server);
    changed["accessControl"] = json!({"repositories": {"**": {"anonymousPolicy": ["read"]}}});
    server.replace_file("config.json", &changed.to_string());

    let start = || repository.client.post(&repository.uploads_path()).send().status;
    wait_until("pushing is refused", || start() == 403);
    repository.client.get("/v2/").send().expect_status(200);
    assert_eq!(server.process_id(), process);
}

#[test]
fn given_a_wrong_configuration_when_reloaded_then_the_last_good_one_stays_and_the_log_says_so() {
    let server = Server::builder().open_to_everybody().start();
    let mut wrong = configuration(&server);
    wrong["limits"] = json!({"pagesize": 5});

    server.replace_file("config.json", &wrong.to_string());

    wait_until("the log names the mistake", || {
        let log = server.log();
        log.contains("not in force as it was written") && log.contains("pageSize")
    });
    let repository = Repository::new(&server.client(), "kept/repository");
    repository.push_blob(&Blob::random(1, 100)).expect_status(201);
}

#[test]
fn given_a_setting_that_needs_a_restart_when_changed_then_the_log_names_it() {
    let server = Server::builder().open_to_everybody().start();
    let mut changed = configuration(&server);
    changed["http"]["shutdownGrace"] = json!("7s");
    server.replace_file("config.json", &changed.to_string());
    wait_until("the log names the field", || {
        server.log().contains("http.shutdownGrace")
    });
}

#[test]
fn given_a_new_certificate_when_its_files_are_replaced_then_new_connections_see_it() {
    let mut server = Server::builder().open_to_everybody().tls().start();
    server.client().get("/v2/").send().expect_status(200);
    let renewed = Certificate::self_signed();

    server.replace_file("tls.key", &renewed.private_key_pem);
    server.replace_file("tls.crt", &renewed.pem);
    server.trust(renewed);

    wait_until("the new certificate is shown", || {
        server
            .client()
            .get("/v2/")
            .try_send()
            .is_ok_and(|answer| answer.status == 200)
    });
}

#[test]
fn given_an_upload_under_way_when_the_server_is_told_to_stop_then_it_may_finish() {
    // Given a request with half of its body sent
    let mut server = Server::builder().open_to_everybody().start();
    let client = server.client();
    let repository = Repository::new(&client, "draining/repository");
    let blob = Blob::random(5, 200_000);
    let (first, second) = blob.bytes.split_at(100_000);
    let mut connection = client.connect();
    let path = zas_tests::with_query(&repository.uploads_path(), &[("digest", &blob.digest)]);
    let length = blob.bytes.len();
    connection
        .send(format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").as_bytes());
    connection.send(first);
    wait_until("the upload is received", || {
        let metrics = server.operations().get("/metrics").send().text();
        metrics.contains("zas_uploads_in_flight 1")
    });

    // When
    server.begin_to_stop();
    wait_until("the server is not ready any more", || {
        server
            .operations()
            .get("/readyz")
            .try_send()
            .is_ok_and(|answer| answer.status == 503)
    });
    connection.send(second);

    // Then
    connection.required_response().expect_status(201);
    server.stop();
}

#[test]
fn given_requests_when_metrics_are_asked_for_then_they_are_counted_by_template() {
    let server = Server::builder().open_to_everybody().start();
    let repository = Repository::new(&server.client(), "counted/repository");
    repository.push_blob(&Blob::random(1, 100_000)).expect_status(201);

    let metrics = server
        .operations()
        .get("/metrics")
        .send()
        .expect_status(200)
        .text();

    for expected in [
        "zas_http_requests_total{route=\"/v2/{name}/blobs/uploads/\",method=\"POST\",status=",
        "zas_http_request_duration_seconds_bucket{",
        "zas_http_received_bytes_total ",
        "zas_storage_operations_total{store=\"metadata\",operation=\"finish_upload\"} 1",
        "zas_blob_written_bytes_total 100000",
        "zas_uploads_in_flight 0",
        "zas_collection_rounds_total",
        "zas_build_info{version=",
    ] {
        assert!(metrics.contains(expected), "no {expected} in\n{metrics}");
    }
    assert!(
        !metrics.contains("counted/repository"),
        "names of repositories are no labels"
    );
    server.client().get("/metrics").send().expect_status(404);
}

#[test]
fn given_numbers_of_repositories_when_asked_for_then_only_of_those_that_exist_and_were_allowed() {
    // Given
    let everything = json!(["read", "create", "update", "delete"]);
    let server = Server::builder()
        .section("extensions", json!({"metrics": {"perRepository": true}}))
        .access_control(json!({"repositories": {
            "**": {"anonymousPolicy": everything},
            "secret/**": {},
        }}))
        .start();
    let repository = Repository::new(&server.client(), "counted/repository");

    // When
    let blob = Blob::random(1, 100_000);
    let mut upload = repository.start_upload();
    upload.send_chunk(0, &blob.bytes).expect_status(202);
    upload.finish(&blob.digest, b"").expect_status(201);
    let image = Image::new(2).build();
    repository.push(&image, "v1");
    repository.get_manifest("v1").expect_status(200);
    repository.get_manifest("v1").expect_status(200);
    for absent in ["made/up", "secret/box"] {
        let absent = Repository::new(&server.client(), absent);
        absent.client.get(&absent.tags_path()).send();
        absent.client.post(&absent.uploads_path()).send();
        absent.get_manifest("v1");
    }

    // Then
    let metrics = server.operations().get("/metrics").send().text();
    for expected in [
        "zas_repository_pulls_total{repository=\"counted/repository\"} 2",
        "zas_repository_pushes_total{repository=\"counted/repository\"} 1",
        "zas_repository_requests_total{repository=\"counted/repository\"} ",
        "zas_repository_sent_bytes_total{repository=\"counted/repository\"} ",
    ] {
        assert!(metrics.contains(expected), "no {expected} in\n{metrics}");
    }
    let name = "zas_repository_received_bytes_total{repository=\"counted/repository\"} ";
    let received = metrics.lines().find_map(|line| line.strip_prefix(name));
    assert!(received.unwrap().parse::<u64>().unwrap() > 100_000, "{metrics}");
    assert!(
        !metrics.contains("made/up") && !metrics.contains("secret/box"),
        "{metrics}"
    );
}

#[test]
fn given_a_server_when_asked_for_its_version_then_also_what_configuration_and_data_it_understands() {
    let server = Server::builder().open_to_everybody().start();
    let version = server
        .operations()
        .get("/version")
        .send()
        .expect_status(200)
        .json();
    let expected = json!({"version": env!("CARGO_PKG_VERSION"), "configVersion": 1, "dataFormat": 3});
    assert_eq!(version, expected);
    server.client().get("/version").send().expect_status(404);
}

#[test]
fn given_every_address_to_listen_on_when_started_then_clients_of_ipv4_are_served() {
    let every = json!({"listen": "[::]:0"});
    let server = Server::builder()
        .section("http", every.clone())
        .section("operations", every)
        .open_to_everybody()
        .start();
    for listener in [server.client(), server.operations()] {
        let port = listener.authority().rsplit(':').next().unwrap();
        let over_ipv4 = Client::new(&format!("http://127.0.0.1:{port}"), None);
        assert!(over_ipv4.get("/").try_send().is_ok());
    }
    wait_until("the log names the client as one of IPv4", || {
        server.log().contains("client=\"127.0.0.1\"")
    });
}

#[test]
fn given_data_of_another_format_when_started_then_it_is_left_alone_and_the_exit_code_says_so() {
    for (format, advice) in [
        (999, "run version 9.8.7 or newer"),
        (1, "serve it with version 9.8.7"),
    ] {
        let failed = Server::builder()
            .metadata(Metadata::RocksDb)
            .start_in_vain(|directory| {
                let marker = format!("format: {format}\nwritten by: 9.8.7\n");
                std::fs::create_dir_all(directory.join("data/metadata")).unwrap();
                std::fs::write(directory.join("data/metadata/ZAS_FORMAT"), marker).unwrap();
            });
        assert_eq!(failed.code, Some(65), "{}", failed.output);
        for part in ["written by version 9.8.7", advice] {
            assert!(failed.output.contains(part), "{}", failed.output);
        }
        let files = std::fs::read_dir(failed.directory().join("data/metadata")).unwrap();
        assert_eq!(files.count(), 1);
    }
}

#[test]
fn given_data_without_a_marker_when_started_again_then_refused_as_that_of_the_first_version() {
    let failed = Server::builder()
        .metadata(Metadata::RocksDb)
        .start_in_vain(|directory| {
            std::fs::create_dir_all(directory.join("data/metadata")).unwrap();
            std::fs::write(directory.join("data/metadata/CURRENT"), "MANIFEST-000001\n").unwrap();
        });
    assert_eq!(failed.code, Some(65), "{}", failed.output);
    assert!(
        failed.output.contains("written by version 0.1.0"),
        "{}",
        failed.output
    );
}

#[test]
fn given_the_metrics_extension_switched_off_when_asked_for_then_it_is_absent() {
    let server = Server::builder()
        .section("extensions", json!({"metrics": {"enabled": false}}))
        .start();
    server.operations().get("/metrics").send().expect_status(404);
    server.operations().get("/livez").send().expect_status(200);
    server.operations().get("/startupz").send().expect_status(200);
}

#[test]
fn given_a_request_id_when_sent_then_it_comes_back_and_stands_in_the_log() {
    let server = Server::builder().open_to_everybody().start();
    let answer = server
        .client()
        .get("/v2/")
        .header("x-request-id", "build-4711")
        .send();
    answer.expect_header("x-request-id", "build-4711");
    wait_until("the log names the request", || {
        server.log().contains("build-4711")
    });
}
