//! Runs every case on one server and reports all that failed, with what was asked and answered.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;
use std::{env, thread};

use zas_tests::Transcript;

use crate::cases::{self, Case};
use crate::environment::Environment;
use crate::fixture::Fixture;

thread_local! {
    /// `Some` while a case runs: its panics are kept for the report, not printed at once.
    static FAILURE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs every selected case.
///
/// # Panics
/// After the last case, when any failed.
pub(crate) fn run(environment: &Environment) {
    keep_panics_of_cases();
    let filter = env::var("ZAS_TEST_CASE").unwrap_or_default();
    let all = cases::all();
    let numbered = (0..).zip(&all).filter(|(_, case)| case.name.contains(&filter));
    let outcomes: Vec<Option<String>> = numbered
        .map(|(number, case)| run_case(environment, number, case))
        .collect();
    let (count, failures): (usize, Vec<String>) = (outcomes.len(), outcomes.into_iter().flatten().collect());
    let name = thread::current().name().unwrap_or_default().to_owned();
    // Written past the capture of the test harness: a run of zero cases must not look like a success.
    let _ = writeln!(
        std::io::stderr(),
        "{name}: {count} cases, {} failed",
        failures.len()
    );
    assert!(count > 0, "no case has {filter:?} in its name");
    assert!(
        failures.is_empty(),
        "{} of {count} cases failed\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// The report of a failure, if it failed.
fn run_case(environment: &Environment, number: u64, case: &Case) -> Option<String> {
    let transcript = Transcript::default();
    let fixture = Fixture::new(environment, number, transcript.clone());
    FAILURE.set(Some(String::new()));
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| (case.run)(&fixture)));
    let failure = FAILURE.take().unwrap_or_default();
    outcome.err().map(|_| {
        let mut report = format!("\n==== {}\n{failure}\n", case.name);
        let _ = writeln!(report, "---- what was asked and answered\n{}", transcript.text());
        report
    })
}

fn keep_panics_of_cases() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_kept = FAILURE
                .with_borrow_mut(|failure| failure.as_mut().map(|text| *text = describe(info)).is_some());
            if !is_kept {
                default(info);
            }
        }));
    });
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let place = info
        .location()
        .map(|place| format!(" ({}:{})", place.file(), place.line()))
        .unwrap_or_default();
    format!(
        "{}{place}",
        info.payload_as_str().unwrap_or("panicked without a message")
    )
}
