//! Memory of a process.

use std::fs;

/// What the process itself holds in memory, in MiB: not its program, not the page cache.
pub(crate) fn own_mebibytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.expect("the kernel counts in kB") / 1024
}
