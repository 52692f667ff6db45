//! A log whose reader stalls: the server goes on, counts what is lost, and stops when it is told to.

use zas_tests::Server;

use crate::wait::until;

/// Each leaves a line of the length of its path: together more than a pipe and all buffers hold.
const REQUESTS: usize = 2_500;
const PATH_LENGTH: usize = 4_000;

#[test]
fn given_a_log_that_nobody_reads_when_requests_come_then_they_are_served_and_sigterm_stops_the_server() {
    // Given
    let mut server = Server::builder().unread_log().open_to_everybody().start();
    let client = server.client();
    let path = format!("/v2/{}", "x".repeat(PATH_LENGTH));

    // When
    for _ in 0..REQUESTS {
        client.get(&path).send().expect_status(404);
    }

    // Then
    client.get("/v2/").send().expect_status(200);
    until("dropped lines are counted", || {
        let metrics = server.operations().get("/metrics").send().text();
        let dropped = metrics
            .lines()
            .find_map(|line| line.strip_prefix("zas_log_dropped_lines_total "));
        dropped.is_some_and(|dropped| dropped != "0").then_some(())
    });
    server.stop();
}
