//! One client that takes every place for uploads it gets and sends just enough to keep them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use zas_tests::{Blob, Blobs, Credentials, Image, RawConnection, Repository, Server};

use crate::wait::until;

/// As many as there are places.
const DRIPS: usize = 1_024;
/// Enough for all of them here.
const DESCRIPTORS: u64 = 4_096;
const PAUSE: Duration = Duration::from_millis(500);

/// Ends the dripping also when a test fails.
struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            ..limit
        };
        setrlimit(Resource::Nofile, raised).expect("up to the maximum everybody may");
    }
}

fn places_taken(server: &Server) -> usize {
    let page = server.operations().get("/metrics").send().text();
    let value = page
        .lines()
        .find_map(|line| line.strip_prefix("zas_upload_slots_used "));
    value
        .and_then(|value| value.parse().ok())
        .expect("the server counts its places")
}

#[test]
fn given_a_thousand_uploads_of_one_client_that_drip_when_another_pushes_then_it_is_served_and_the_drips_end()
{
    // Given
    raise_descriptor_limit();
    let (alice, mallory) = (
        Credentials::new("alice", "right"),
        Credentials::new("mallory", "wrong"),
    );
    let server = Server::builder()
        .blobs(Blobs::Filesystem)
        .user(alice.clone())
        .user(mallory.clone())
        .limits(json!({"requestIdleTimeout": "20s"}))
        .start();
    let dripping = server.client().with_credentials(Some(mallory));
    let request = format!(
        "POST /v2/mallory/drips/blobs/uploads/?digest={} HTTP/1.1\r\nHost: {}\r\n{}Content-Length: 1000000\r\n\r\n",
        Blob::random(1, 10).digest,
        dripping.authority(),
        dripping.authorization_line(),
    );
    let mut drips: Vec<RawConnection> = (0..DRIPS)
        .map(|_| {
            let mut connection = dripping.connect();
            connection.send(request.as_bytes());
            connection
        })
        .collect();
    let taken = until("one client has its share of the places", || {
        let taken = places_taken(&server);
        (taken > DRIPS / 3).then_some(taken)
    });
    assert!(taken < DRIPS / 2, "one client has {taken} places");

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = EndOnDrop(&is_over);
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for connection in &mut drips {
                    connection.send(b"x");
                }
                thread::sleep(PAUSE);
            }
        });

        // When
        let repository = Repository::new(&server.client().with_credentials(Some(alice)), "alice/images");
        for number in 0..5 {
            repository.push(&Image::new(number).build(), "pushed");
        }

        // Then
        assert!(places_taken(&server) > DRIPS / 3, "the drips were still there");
        until("drips are given up although none is ever silent for long", || {
            (places_taken(&server) == 0).then_some(())
        });
    });
}
