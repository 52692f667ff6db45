//! The result as tables for people.

use std::fmt::Write;

use crate::collection::CollectionEffect;
use crate::growth::Growth;
use crate::limits::Limits;
use crate::machine::Machine;
use crate::memory::MemoryUse;
use crate::report::{Contender, Report};
use crate::statistics::{median, ratio_text, rounded};

const MIB: f64 = 1024.0 * 1024.0;

impl Report {
    /// The tables for people.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_header(&mut text);
        text.push_str(&self.rates_markdown());
        for (title, part) in self.parts() {
            let _ = write!(text, "\n{title}: {part}");
        }
        text.push_str(&self.failures_markdown());
        text
    }

    /// The parts that ours alone was measured for.
    pub(crate) fn parts(&self) -> Vec<(&'static str, String)> {
        let growth = self.growth.as_ref().map(Growth::markdown);
        let memory = self.memory.as_ref().map(MemoryUse::markdown);
        let collection = self.collection.as_ref().map(CollectionEffect::markdown);
        let parts = [("Growth", growth), ("Memory", memory), ("Collection", collection)];
        parts
            .into_iter()
            .filter_map(|(title, part)| Some((title, part?)))
            .collect()
    }

    /// What could not be measured; nothing when all could.
    pub(crate) fn failures_markdown(&self) -> String {
        self.failures
            .iter()
            .map(|failure| format!("\nNot measured: {failure}\n"))
            .collect()
    }

    /// Where and against which limits the registries were measured.
    pub(crate) fn header_markdown(&self) -> String {
        let mut text = String::new();
        let _ = self.write_header(&mut text);
        text
    }

    /// The tables of the registries; nothing when none was measured.
    pub(crate) fn rates_markdown(&self) -> String {
        let mut text = String::new();
        if self.rows.is_empty() {
            return text;
        }
        let _ = self.write_rates(&mut text);
        let _ = self.write_latencies(&mut text);
        let _ = self.write_errors(&mut text);
        text
    }

    fn write_header(&self, text: &mut String) -> std::fmt::Result {
        let Machine {
            processor,
            cores,
            memory_gib,
            kernel,
            filesystem,
        } = &self.machine;
        writeln!(text, "{}, {} rounds, medians.", self.date, self.rounds)?;
        writeln!(
            text,
            "{cores} cores of {processor}, {memory_gib} GiB, Linux {kernel}, {filesystem}."
        )?;
        for Contender { name, version } in &self.targets {
            writeln!(
                text,
                "- {name}: {}",
                if version.is_empty() {
                    "version unknown"
                } else {
                    version
                }
            )?;
        }
        if self.limits.is_empty() {
            return writeln!(text);
        }
        let middle = |value: fn(&Limits) -> f64| {
            rounded(median(self.limits.iter().map(value).collect()).unwrap_or(0.0))
        };
        writeln!(
            text,
            "- limits: loopback TCP from a file, receiver copies {} MB/s, four streams {} MB/s; \
             the same from one buffer {} MB/s, four streams {} MB/s; SHA-256 on one core {} MB/s; \
             write and fdatasync {} MB/s; 4 KiB append and fdatasync {}/s; bare actix-web {}/s\n",
            middle(|limits| limits.copying_loopback),
            middle(|limits| limits.copying_loopback_four_streams),
            middle(|limits| limits.loopback_of_one_buffer),
            middle(|limits| limits.loopback_of_one_buffer_four_streams),
            middle(|limits| limits.sha256),
            middle(|limits| limits.durable_write),
            middle(|limits| limits.durable_append),
            middle(|limits| limits.bare_http),
        )
    }

    fn write_rates(&self, text: &mut String) -> std::fmt::Result {
        let first = self
            .targets
            .first()
            .map(|first| first.name.as_str())
            .unwrap_or_default();
        write!(text, "| scenario | unit | limit | {first} | of limit |")?;
        for peer in self.targets.iter().skip(1) {
            write!(text, " {} | {first} / {} |", peer.name, peer.name)?;
        }
        writeln!(text)?;
        writeln!(
            text,
            "|---|---|---:|---:|---:|{}",
            "---:|---:|".repeat(self.targets.len().saturating_sub(1))
        )?;
        for row in &self.rows {
            let limit = row.limit.map_or_else(|| "-".to_owned(), rounded);
            write!(text, "| {} | {} | {limit} |", row.scenario, row.unit)?;
            for (index, outcome) in row.results.iter().enumerate() {
                let ratio = if index == 0 {
                    outcome.ratio_to_limit
                } else {
                    outcome.first_target_ratio
                };
                write!(
                    text,
                    " {} | {} |",
                    rounded(outcome.median_rate),
                    ratio_text(ratio)
                )?;
            }
            writeln!(text)?;
        }
        writeln!(text)
    }

    fn write_latencies(&self, text: &mut String) -> std::fmt::Result {
        write!(text, "| scenario |")?;
        for Contender { name, .. } in &self.targets {
            write!(text, " {name} p50 ms | p99 ms | CPU s | peak MiB |")?;
        }
        writeln!(text)?;
        writeln!(text, "|---|{}", "---:|---:|---:|---:|".repeat(self.targets.len()))?;
        for row in &self.rows {
            write!(text, "| {} |", row.scenario)?;
            for outcome in &row.results {
                let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), rounded);
                write!(
                    text,
                    " {} | {} | {} | {} |",
                    cell(outcome.median(|run| Some(run.p50_milliseconds))),
                    cell(outcome.median(|run| Some(run.p99_milliseconds))),
                    cell(outcome.median(|run| run.processor_seconds)),
                    cell(outcome.median(|run| run.peak_memory.map(|bytes| bytes as f64 / MIB))),
                )?;
            }
            writeln!(text)?;
        }
        Ok(())
    }

    fn write_errors(&self, text: &mut String) -> std::fmt::Result {
        for row in &self.rows {
            for outcome in &row.results {
                if let Some(error) = outcome.runs.iter().find_map(|run| run.error.as_ref()) {
                    writeln!(text, "\n{} failed on {}: {error}", row.scenario, outcome.target)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::report::Measurement;
    use crate::report::tests::{report, run};
    use crate::scenario::Scenario;

    #[test]
    fn given_three_rounds_when_reported_then_the_medians_are_compared() {
        // Given
        let mut report = report(&["zas", "peer"]);
        // When
        for rate in [900.0, 100.0, 800.0] {
            report.add(Scenario::PullStream, "zas", &run(rate));
            report.add(Scenario::PullStream, "peer", &run(rate / 2.0));
        }
        // Then
        let text = report.markdown();
        assert!(
            text.contains("| pull one stream | MB/s | 1000 | 800 | 0.80 | 400 | 2.00 |"),
            "{text}"
        );
    }

    #[test]
    fn given_a_failed_run_when_reported_then_the_reason_is_told_and_the_rate_is_not_zeroed() {
        let mut report = report(&["zas"]);
        report.add(Scenario::PullStream, "zas", &run(500.0));
        let failed = Measurement {
            error: Some("answered 500".to_owned()),
            ..Measurement::default()
        };
        report.add(Scenario::PullStream, "zas", &failed);
        let text = report.markdown();
        assert!(
            text.contains("| 500 |") && text.contains("pull one stream failed on zas: answered 500"),
            "{text}"
        );
    }
}
