//! Counting by callgrind.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::hot_path::HotPath;

/// Requests of the shorter run: the first ones fill caches and tables, which is not what the gate is about.
const FEW: u64 = 200;
/// Requests of the longer run.
const MANY: u64 = 700;

/// Fails when callgrind cannot be run.
pub(crate) fn check_installed() -> Result<()> {
    let version = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    let works = version.is_ok_and(|status| status.success());
    ensure!(works, "valgrind is missing: hack/setup.sh test installs it");
    Ok(())
}

/// The compiler that builds here.
pub(crate) fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output();
    version.map_or_else(
        |_| "an unknown compiler".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// What one request takes on all threads of the process.
pub(crate) fn instructions_per_request(path: HotPath) -> Result<u64> {
    let (few, many) = std::thread::scope(|scope| {
        let few = scope.spawn(|| instructions(path, FEW));
        (few.join(), instructions(path, MANY))
    });
    let few = few.map_err(|_| anyhow::anyhow!("counting {} panicked", path.name()))??;
    let many = many?;
    ensure!(
        many > few,
        "{} took {many} instructions for {MANY} requests and {few} for {FEW}",
        path.name()
    );
    Ok((many - few) / (MANY - FEW))
}

fn instructions(path: HotPath, requests: u64) -> Result<u64> {
    let directory = tempfile::tempdir()?;
    let counts = directory.path().join("counts");
    let program = std::env::current_exe().context("finding this program")?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--fair-sched=yes"])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(program)
        .args(["work", path.name(), &requests.to_string()])
        .output()
        .context("running valgrind")?;
    if !output.status.success() {
        bail!(
            "{} ended with {} under callgrind:\n{}",
            path.name(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let text = std::fs::read_to_string(&counts).context("reading what callgrind counted")?;
    total(&text).with_context(|| format!("callgrind counted nothing for {}", path.name()))
}

/// The sum of a profile in callgrind's format.
fn total(profile: &str) -> Option<u64> {
    let line = profile.lines().find_map(|line| {
        line.strip_prefix("totals:")
            .or_else(|| line.strip_prefix("summary:"))
    });
    line?.trim().parse().ok().filter(|total| *total > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_profile_when_read_then_its_sum_is_known() {
        assert_eq!(
            total("version: 1\nevents: Ir\nfn=main\n16 400\ntotals: 400\n"),
            Some(400)
        );
        assert_eq!(total("version: 1\nsummary: 17\nfn=main\n"), Some(17));
        assert_eq!(total("version: 1\ntotals: 0\n"), None);
        assert_eq!(total("version: 1\n"), None);
    }
}
