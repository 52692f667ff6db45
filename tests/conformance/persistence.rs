//! What was acknowledged is there after a restart, drained or not.

use zas_tests::{Artifact, Blob, Blobs, Image, Metadata, Package, Repository, Server};

struct Stored {
    image: Package,
    artifact: Package,
    upload_path: String,
    unfinished: Blob,
}

fn start() -> Server {
    Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .start()
}

fn repository(server: &Server) -> Repository {
    Repository::new(&server.client(), "kept/repository")
}

fn store(server: &Server) -> Stored {
    let repository = repository(server);
    let image = Image::new(1).layer_size(300_000).build();
    repository.push(&image, "v1");
    let artifact = Artifact::new("application/x-note", 2)
        .subject(&image.manifest.descriptor())
        .build();
    repository.push_by_digest(&artifact);
    let unfinished = Blob::random(3, 200_000);
    let mut upload = repository.start_upload();
    upload
        .send_chunk(0, &unfinished.bytes[..150_000])
        .expect_status(202);
    Stored {
        image,
        artifact,
        upload_path: upload.path().to_owned(),
        unfinished,
    }
}

#[track_caller]
fn expect_kept(server: &Server, stored: &Stored) {
    let repository = repository(server);
    repository
        .get_manifest("v1")
        .expect_status(200)
        .expect_body(&stored.image.manifest.bytes);
    for blob in stored.image.blobs.iter().chain(&stored.artifact.blobs) {
        repository
            .get_blob(&blob.digest)
            .expect_status(200)
            .expect_body(&blob.bytes);
    }
    let referrers = repository
        .client
        .get(&repository.referrers_path(&stored.image.manifest.digest))
        .send();
    assert_eq!(
        referrers.expect_status(200).json()["manifests"][0]["digest"],
        stored.artifact.manifest.digest
    );
    let status = repository
        .client
        .get(&stored.upload_path)
        .send()
        .expect_status(204);
    status.expect_header("range", "0-149999");
}

#[track_caller]
fn expect_upload_goes_on(server: &Server, stored: &Stored) {
    let repository = repository(server);
    let path = zas_tests::with_query(&stored.upload_path, &[("digest", &stored.unfinished.digest)]);
    let request = repository
        .client
        .put(&path)
        .header("content-range", "150000-199999");
    request
        .body(&stored.unfinished.bytes[150_000..])
        .send()
        .expect_status(201);
    repository
        .get_blob(&stored.unfinished.digest)
        .expect_status(200)
        .expect_body(&stored.unfinished.bytes);
}

#[test]
fn given_content_when_the_server_is_stopped_and_started_then_it_is_there() {
    let mut server = start();
    let stored = store(&server);

    server.stop();
    server.restart();

    expect_kept(&server, &stored);
    expect_upload_goes_on(&server, &stored);
}

#[test]
fn given_content_when_the_server_is_killed_and_started_then_it_is_there() {
    let mut server = start();
    let stored = store(&server);

    server.kill();
    server.restart();

    expect_kept(&server, &stored);
    expect_upload_goes_on(&server, &stored);
}
