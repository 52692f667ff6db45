//! The page about performance: what is required, what was measured, and what it means.

use std::fmt::Write;

use crate::report::Report;
use crate::statistics::ratio_text;

const TITLE: &str = "# Performance

Written by `make bench`; do not edit. How it is measured is in [tests/perf](../tests/perf/README.md). Client and servers
share the cores of one machine, all content is unique random bytes, 3,000 tags are in one repository. Compare ratios,
never numbers of two runs.
";

const DURABILITY: &str = "## What an acknowledgement means

A number for pushes means nothing without it.

| Registry | When a push is answered |
|---|---|
| ours | bytes, directory entry and metadata survive power loss (group commit of the metadata log); there is no other mode |
| distribution 3.1.2, filesystem driver | the file was synced (`fsync`) under its upload's name, then moved without syncing the directories; links and tags are files of their own, each written, synced, renamed, and their directory synced, but not newly made parent directories |

So distribution syncs about as often as its layout needs and a power loss may still lose a directory entry. Each GET of a
blob there allocates a read buffer of 4 MiB, which is what limits it on small blobs.

";

/// The whole page.
pub(crate) fn write(report: &Report) -> String {
    let mut text = format!("{TITLE}\n{}", report.header_markdown());
    // Writing to a string cannot fail.
    let _ = write_checks(&mut text, report);
    text.push_str(DURABILITY);
    let rates = report.rates_markdown();
    if !rates.is_empty() {
        let _ = write!(text, "## Beside other registries\n\n{rates}");
    }
    for (title, part) in report.parts() {
        let _ = write!(text, "\n## {title}\n\n{part}");
    }
    text.push_str(&report.failures_markdown());
    text
}

fn write_checks(text: &mut String, report: &Report) -> std::fmt::Result {
    let checks = report.checks();
    let reached = checks.iter().filter(|check| check.verdict() == "reached").count();
    writeln!(
        text,
        "## Requirements\n\n{reached} of {} are reached.\n\n| what | required | measured | verdict |\n|---|---|---:|---|",
        checks.len()
    )?;
    for check in &checks {
        let measured = ratio_text(check.measured);
        writeln!(
            text,
            "| {} | {} | {measured} | {} |",
            check.what,
            check.bound,
            check.verdict()
        )?;
    }
    writeln!(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{report, run};
    use crate::scenario::Scenario;

    #[test]
    fn given_measurements_when_written_then_the_page_tells_what_is_reached() {
        let mut report = report(&["zas", "distribution"]);
        report.add(Scenario::GetSmallBlobs, "zas", &run(5000.0));
        report.add(Scenario::GetSmallBlobs, "distribution", &run(1000.0));
        let page = write(&report);
        assert!(page.contains("0 of 1 are reached."), "{page}");
        assert!(
            page.contains("get 1 KiB blobs, 16 clients | at least 10 | 5.00 | **not reached** |"),
            "{page}"
        );
        assert!(page.contains("## What an acknowledgement means"));
    }
}
