//! The committed counts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::hot_path::HotPath;

const HEADER: &str = "# Instructions of one request on each hot path, counted by callgrind.\n\
                      # Written by: cargo run --release -p zas-instructions -- --repeat 3 --write\n";

/// What each path took when the baseline was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Baseline {
    /// The compiler that made the program.
    pub(crate) compiler: String,
    /// Instructions of one request.
    pub(crate) counts: BTreeMap<HotPath, u64>,
}

/// How a count compares with the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Within the tolerance.
    Same,
    /// More instructions, or nothing to compare with.
    Worse,
    /// Fewer instructions.
    Better,
}

impl Baseline {
    /// Reads a file.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", file.display()))
    }

    /// Writes a file.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        std::fs::write(file, self.render()).with_context(|| format!("writing {}", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut baseline = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').context("a line is not KEY = VALUE")?;
            let (key, value) = (key.trim(), value.trim());
            if key == "compiler" {
                baseline.compiler = value.trim_matches('"').to_owned();
                continue;
            }
            let Some(path) = HotPath::named(key) else {
                bail!("there is no path {key}");
            };
            let count = value.parse().with_context(|| format!("{value} is no count"))?;
            baseline.counts.insert(path, count);
        }
        Ok(baseline)
    }

    fn render(&self) -> String {
        let mut text = format!("{HEADER}compiler = \"{}\"\n", self.compiler);
        for (path, count) in &self.counts {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} = {count}", path.name());
        }
        text
    }

    /// Compares a count, with the sentence that says how it ended.
    pub(crate) fn judge(&self, path: HotPath, count: u64, tolerance: f64) -> (Verdict, String) {
        let name = path.name();
        let Some(before) = self.counts.get(&path).copied().filter(|before| *before > 0) else {
            return (
                Verdict::Worse,
                format!("{name}: the baseline has no count: add it by --write"),
            );
        };
        let percent = 100.0 * (count as f64 - before as f64) / before as f64;
        let verdict = if percent > tolerance {
            Verdict::Worse
        } else if percent < -tolerance {
            Verdict::Better
        } else {
            Verdict::Same
        };
        let word = match verdict {
            Verdict::Same => "ok",
            Verdict::Worse => "WORSE",
            Verdict::Better => "better",
        };
        (
            verdict,
            format!("{name}: {count} against {before}, {percent:+.2} %: {word}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        Baseline {
            compiler: "rustc 1.95.0".to_owned(),
            counts: BTreeMap::from([(HotPath::BlobHead, 1000), (HotPath::TagPage, 2000)]),
        }
    }

    #[test]
    fn given_a_baseline_when_written_and_read_then_it_is_the_same() {
        assert_eq!(Baseline::parse(&baseline().render()).unwrap(), baseline());
        assert!(Baseline::parse("nonsense = 3").is_err());
        assert!(Baseline::parse("tag-page = many").is_err());
    }

    #[test]
    fn given_counts_around_the_tolerance_when_judged_then_only_what_is_beyond_it_differs() {
        let judge = |count| baseline().judge(HotPath::BlobHead, count, 5.0).0;
        assert_eq!(judge(1050), Verdict::Same);
        assert_eq!(judge(1051), Verdict::Worse);
        assert_eq!(judge(950), Verdict::Same);
        assert_eq!(judge(949), Verdict::Better);
    }

    #[test]
    fn given_a_path_without_a_count_when_judged_then_the_gate_does_not_pass() {
        assert_eq!(baseline().judge(HotPath::SmallPush, 1, 5.0).0, Verdict::Worse);
    }
}
