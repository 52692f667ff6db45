//! What a test has left behind.

use std::fs;
use std::path::{Path, PathBuf};

/// The processes whose environment names this directory.
pub(crate) fn processes_of(directory: &Path) -> Vec<PathBuf> {
    let mark = format!("ZAS_TEST_DIRECTORY={}", directory.display());
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let environments = entries.map(|entry| entry.path().join("environ"));
    environments
        .filter(|file| {
            let environment = fs::read(file).unwrap_or_default();
            environment
                .split(|&byte| byte == 0)
                .any(|entry| entry == mark.as_bytes())
        })
        .collect()
}

/// The control groups that have this directory's name, of every kind that the kernel has.
pub(crate) fn control_groups_of(directory: &Path) -> Vec<PathBuf> {
    let name = directory.file_name().unwrap();
    let kinds = fs::read_dir("/sys/fs/cgroup").unwrap().flatten();
    let groups = kinds.map(|kind| kind.path().join(name));
    groups.filter(|group| group.is_dir()).collect()
}

/// The processes in those control groups: containers have environments of their own.
pub(crate) fn contained_processes_of(directory: &Path) -> Vec<u32> {
    let name = directory.file_name().unwrap().to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| {
        let groups = fs::read_to_string(format!("/proc/{id}/cgroup")).unwrap_or_default();
        groups.contains(name)
    })
    .collect()
}
