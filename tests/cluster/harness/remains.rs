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

/// Containers have environments of their own: they are the unmarked children of the marked processes.
pub(crate) fn containers_of(directory: &Path) -> Vec<Container> {
    let supervisors = processes_of(directory);
    let supervisors: Vec<_> = supervisors
        .iter()
        .filter_map(|process| process.parent())
        .collect();
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let containers = processes.filter(|process| {
        parent_of(process).is_some_and(|parent| supervisors.contains(&parent.as_path()))
            && !supervisors.contains(&process.as_path())
    });
    containers.map(|process| Container::read(&process)).collect()
}

fn parent_of(process: &Path) -> Option<PathBuf> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let mut parents = status.lines().filter_map(|line| line.strip_prefix("PPid:"));
    Some(Path::new("/proc").join(parents.next()?.trim()))
}

/// The first process of a container.
#[derive(Debug)]
pub(crate) struct Container {
    process: PathBuf,
    started: String,
    control_groups: Vec<PathBuf>,
}

impl Container {
    fn read(process: &Path) -> Self {
        let groups = fs::read_to_string(process.join("cgroup")).unwrap_or_default();
        let groups = groups.lines().flat_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let kind = fields.next().unwrap_or_default().trim_start_matches("name=");
            let path = fields.next().unwrap_or_default();
            [
                format!("/sys/fs/cgroup/{kind}{path}"),
                format!("/sys/fs/cgroup/unified{path}"),
            ]
        });
        Self {
            process: process.to_owned(),
            started: start_time(process).unwrap_or_default(),
            control_groups: groups.map(PathBuf::from).collect(),
        }
    }

    /// Whether its process still runs; another process may have its number.
    pub(crate) fn runs(&self) -> bool {
        start_time(&self.process).is_some_and(|started| started == self.started)
    }

    /// Those of its control groups that are there.
    pub(crate) fn control_groups(&self) -> Vec<&PathBuf> {
        self.control_groups
            .iter()
            .filter(|group| group.is_dir())
            .collect()
    }
}

/// Field 22 of `stat`: the second may hold spaces.
fn start_time(process: &Path) -> Option<String> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(19).map(str::to_owned)
}
