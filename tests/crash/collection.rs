//! Collection at its shortest grace while clients push, pull, mount, move and delete: no positive answer younger than
//! the grace is broken, nothing fails without a reason, and at the end nothing is left.
//!
//! `ZAS_COLLECTION_SECONDS` (60) is how long it runs.

use std::time::{Duration, Instant};

use crate::run::{Run, seed, setting};

const SECONDS: u64 = 60;
/// The shortest that the configuration takes.
const GRACE: Duration = Duration::from_secs(1);
/// Between two trims of the repository that everybody pushes to.
const STRETCH: Duration = Duration::from_secs(5);

#[test]
fn given_a_grace_of_one_second_when_clients_race_with_the_collector_then_no_answer_is_broken_and_nothing_leaks()
 {
    let seconds = setting("ZAS_COLLECTION_SECONDS").unwrap_or(SECONDS);
    let mut run = Run::start(Run::server(), seed());
    run.collect_eagerly(GRACE);
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        run.work_until(end.min(Instant::now() + STRETCH));
        run.check();
        run.trim_shared_repository();
        run.assert_nothing_found();
    }
    let (links, deleted) = (
        run.total(r#"zas_collected_total{kind="link""#),
        run.total(r#"zas_collected_total{kind="bytes""#),
    );
    eprintln!("{links} links and the bytes of {deleted} names were collected meanwhile");
    assert!(
        links > 10.0 && deleted > 10.0,
        "the collector did too little for this to prove anything"
    );
    run.delete_everything();
    run.assert_nothing_found();
}
