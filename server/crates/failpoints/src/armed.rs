//! What happens at an armed place.

use std::io::{self, Write};
use std::process;
use std::thread;
use std::time::Duration;

/// Long against everything that could overtake the visitor, short against a test.
const DELAY: Duration = Duration::from_millis(150);

pub(crate) fn arm() {
    // Places stay armed until the process ends.
    std::mem::forget(fail::FailScenario::setup());
}

pub(crate) fn reach(place: &'static str) -> io::Result<()> {
    let Some(argument) = fail::eval(place, |argument| argument.unwrap_or_default()) else {
        return Ok(());
    };
    // A lost line loses a test, nothing else.
    let _ = writeln!(io::stderr(), "failpoint {place}: {argument}");
    match argument.as_str() {
        "abort" => process::abort(),
        "delay" => {
            thread::sleep(DELAY);
            Ok(())
        }
        _ => Err(io::Error::other(format!("failpoint {place}"))),
    }
}
