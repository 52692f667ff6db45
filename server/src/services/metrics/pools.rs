//! How busy the threads for blocking work are.

use zas_blocking::{Pool, pools};

use super::Reading;

/// What the metrics say about each pool.
pub fn pool_readings() -> Vec<Reading> {
    vec![
        of_each(
            "blocking_threads_busy",
            "Threads for blocking work that work, by pool",
            Pool::running,
        ),
        of_each(
            "blocking_threads_limit",
            "Most threads for blocking work, by pool",
            Pool::threads,
        ),
        of_each(
            "blocking_work_waiting",
            "Blocking work that waits for a thread, by pool",
            Pool::waiting,
        ),
    ]
}

fn of_each(name: &'static str, help: &'static str, number: fn(&Pool) -> usize) -> Reading {
    Reading::gauges(name, help, "pool", move || {
        let pools = pools().into_iter();
        pools.map(|pool| (pool.name(), number(pool) as u64)).collect()
    })
}
