//! The machine that was measured.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// Where it was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    pub(crate) filesystem: String,
}

impl Machine {
    /// This machine, with the filesystem that holds `directory`.
    pub(crate) fn detect(directory: &Path) -> Result<Self> {
        let processors = std::fs::read_to_string("/proc/cpuinfo").context("reading /proc/cpuinfo")?;
        let memory = std::fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
        let kibibytes: u64 = value(&memory, "MemTotal")
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or_default();
        Ok(Self {
            processor: value(&processors, "model name").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kibibytes >> 20,
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_owned(),
            filesystem: filesystem(&std::fs::read_to_string("/proc/mounts")?, directory),
        })
    }
}

fn value<'a>(lines: &'a str, key: &str) -> &'a str {
    let values = lines.lines().filter_map(|line| line.split_once(':'));
    values
        .filter(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
        .next()
        .unwrap_or_default()
}

/// Type of the filesystem mounted closest above `directory`.
fn filesystem(mounts: &str, directory: &Path) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(point, _)| directory.starts_with(point));
    above
        .max_by_key(|(point, _)| point.len())
        .map(|(_, kind)| kind.to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_nested_mounts_when_a_directory_is_looked_up_then_the_closest_one_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /volatile tmpfs rw 0 0\n";
        assert_eq!(filesystem(mounts, Path::new("/volatile/x")), "tmpfs");
        assert_eq!(filesystem(mounts, Path::new("/var")), "ext4");
    }
}
