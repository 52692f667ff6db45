//! The recorder misses nothing: its record is compared with what the kernel was asked for, as strace saw it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use zas_power_loss::{Effect, Journal, Recorder};

use crate::recording::{Volume, Watched};
use crate::server::{DATA, Launch, Server, Unreferenced};
use crate::workload::{Shared, Worker, prepare, work};

/// How often each call was made on each path below the data directory.
type Counts = BTreeMap<(String, String), usize>;

/// Calls whose effects on the disk the recorder knows, and those that it must refuse. `?`: not every machine has them.
const CALLS: &str = "?open,?creat,openat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,\
    sync_file_range,fsync,fdatasync,sync,syncfs,?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat,?unlink,\
    unlinkat,?rmdir,?mkdir,mkdirat,copy_file_range,sendfile,splice,io_uring_setup,openat2";

const END_LIMIT: Duration = Duration::from_secs(30);

#[test]
fn given_a_recorded_server_when_strace_watches_it_too_then_both_saw_the_same() {
    // Given
    assert!(
        Command::new("strace")
            .arg("-V")
            .stdout(Stdio::null())
            .status()
            .is_ok(),
        "there is no strace: install the package strace"
    );
    let watched = Watched::new(Volume::Given, Unreferenced::Kept);
    let trace = watched.work().join("trace");
    let shared = Shared::new(watched.recorder.clone());
    // When
    let server = start_traced(&watched, &trace);
    prepare(&shared, &server.client(), 1);
    let mut workers: Vec<_> = (0..2)
        .map(|number| Worker::new(number, Rng::with_seed(number as u64), Unreferenced::Kept))
        .collect();
    work(&shared, &server.client(), &mut workers, 12);
    server.stop();
    // Then
    let data = watched.work().join(DATA).canonicalize().expect("it is there");
    let traced = parse(&finished(&trace), &data);
    let recorded = count(&watched.recorder.journal());
    assert_eq!(watched.recorder.journal().unsupported(), Vec::<String>::new());
    let differing: Vec<_> = traced
        .keys()
        .chain(recorded.keys())
        .filter(|key| traced.get(key) != recorded.get(key))
        .map(|key| (key, traced.get(key), recorded.get(key)))
        .collect();
    assert!(differing.is_empty(), "(what, traced, recorded): {differing:#?}");
    let mut totals = BTreeMap::<&str, usize>::new();
    for ((call, _), count) in &recorded {
        *totals.entry(call).or_default() += count;
    }
    eprintln!("both saw {totals:?}");
    for call in [
        "fsync",
        "fdatasync",
        "write",
        "writev",
        "mkdir",
        "create",
        "rename",
        "fallocate",
    ] {
        assert!(totals.contains_key(call), "nobody called {call}");
    }
}

#[test]
fn given_something_that_cannot_be_replayed_when_recorded_then_it_is_noticed() {
    let directory = tempfile::tempdir().expect("the temporary directory is writable");
    let watched = directory.path().join("watched");
    fs::create_dir(&watched).expect("the directory is writable");
    let recorder = Recorder::new(&watched, &directory.path().join("record"));
    let status = Command::new("ln")
        .args(["-s", "target", "link"])
        .current_dir(&watched)
        .envs(recorder.environment())
        .status();
    assert!(status.expect("every system has ln").success());
    assert_eq!(recorder.journal().unsupported(), ["symlink: link (1 times)"]);
}

/// Starts the recorded server as strace's parent, so that it can be stopped like any other.
fn start_traced(watched: &Watched, trace: &Path) -> Server {
    let mut through: Vec<OsString> = ["strace", "-f", "-D", "-y", "-s", "0", "-e", "signal=none", "-e"]
        .map(OsString::from)
        .to_vec();
    through.extend([format!("trace={CALLS}").into(), "-o".into(), trace.into()]);
    for (name, value) in watched.recorder.environment() {
        let mut variable = OsString::from(format!("{name}="));
        variable.push(value);
        through.extend(["-E".into(), variable]);
    }
    let launch = Launch {
        environment: Vec::new(),
        through,
    };
    let started = Server::start(&watched.work(), &launch);
    started.unwrap_or_else(|error| panic!("the traced server: {error}"))
}

/// The trace, once strace has written its end.
fn finished(trace: &Path) -> String {
    let limit = Instant::now() + END_LIMIT;
    loop {
        let text = fs::read_to_string(trace).unwrap_or_default();
        if text
            .lines()
            .last()
            .is_some_and(|line| line.contains("+++ exited with"))
        {
            return text;
        }
        assert!(Instant::now() < limit, "strace has not ended");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Files of RocksDB that nobody ever reads again, or that stay empty.
fn is_irrelevant(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.starts_with("metadata/") && (name.starts_with("LOG") || name == "LOCK")
}

fn add(counts: &mut Counts, call: &str, path: &str) {
    if !is_irrelevant(path) {
        *counts.entry((call.to_owned(), path.to_owned())).or_default() += 1;
    }
}

/// Counts the calls of the record, each at the path that its file had at that moment.
fn count(journal: &Journal) -> Counts {
    let mut paths = BTreeMap::<u64, String>::new();
    let mut counts = Counts::new();
    for record in &journal.records {
        let call = record.call.as_str();
        match &record.effect {
            Effect::Started { inode } => drop(paths.insert(*inode, String::new())),
            Effect::Created { inode, path } => {
                paths.insert(*inode, path.clone());
                counts.insert(("create".to_owned(), path.clone()), 1);
            }
            Effect::MadeDirectory { inode, path } => {
                paths.insert(*inode, path.clone());
                add(&mut counts, call, path);
            }
            Effect::Written { inode, .. }
            | Effect::Cut { inode, .. }
            | Effect::Allocated { inode, .. }
            | Effect::Writeback { inode }
            | Effect::SyncBegun { inode, .. } => {
                let path = paths.get(inode).expect("it was made before it was changed");
                add(&mut counts, call, path);
            }
            Effect::Renamed { from, to } => {
                add(&mut counts, call, to);
                for path in paths.values_mut().filter(|path| *path == from) {
                    path.clone_from(to);
                }
            }
            Effect::Linked { to, .. } => add(&mut counts, call, to),
            Effect::Unlinked { path } | Effect::RemovedDirectory { path } => add(&mut counts, call, path),
            Effect::SyncEnded { .. } | Effect::Unsupported { .. } => {}
        }
    }
    counts.retain(|(_, path), _| !is_irrelevant(path));
    counts
}

/// Counts the calls of a trace that succeeded below a directory.
fn parse(trace: &str, data: &Path) -> Counts {
    let mut begun = BTreeMap::<&str, String>::new();
    let mut counts = Counts::new();
    for line in trace.lines() {
        let Some((process, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(process, start.to_owned());
        } else if let Some((_, end)) = rest
            .strip_prefix("<... ")
            .and_then(|rest| rest.split_once(" resumed>"))
        {
            let start = begun.remove(process).expect("what is resumed was begun");
            parse_call(&format!("{start}{end}"), data, &mut counts);
        } else {
            parse_call(rest, data, &mut counts);
        }
    }
    counts
}

fn parse_call(line: &str, data: &Path, counts: &mut Counts) {
    let Some((call, rest)) = line.split_once('(') else {
        return;
    };
    let Some((arguments, result)) = rest.rsplit_once(" = ") else {
        return;
    };
    if result.starts_with('-') || result.starts_with('?') {
        return;
    }
    let relative = |path: &str| {
        let path = path.trim_end_matches(" (deleted)");
        let below = Path::new(path).strip_prefix(data).ok()?;
        Some(below.to_string_lossy().into_owned())
    };
    if matches!(call, "open" | "creat" | "openat" | "openat2") {
        let path = result
            .split_once('<')
            .and_then(|(_, path)| relative(path.strip_suffix('>')?));
        if let Some(path) = path.filter(|_| arguments.contains("O_CREAT") || call == "creat")
            && !is_irrelevant(&path)
        {
            // A file may have been there: that it was made is compared, not how often.
            counts.insert(("create".to_owned(), path), 1);
        }
        return;
    }
    let is_of_name = call.contains("link") || call.contains("rename") || call.contains("dir");
    let path = if is_of_name {
        names(arguments)
            .pop()
            .and_then(|name| relative(&absolute(&name, data)))
    } else {
        let descriptor = arguments
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        descriptor.and_then(|(path, _)| relative(path))
    };
    let name = match call {
        "unlinkat" if arguments.contains("AT_REMOVEDIR") => "rmdir",
        call => call.trim_end_matches("at2").trim_end_matches("at"),
    };
    if let Some(path) = path {
        add(counts, name, &path);
    }
}

/// A path of the server, whose working directory holds the data directory.
fn absolute(name: &str, data: &Path) -> String {
    let work = data.parent().expect("the data directory has one");
    work.join(name).to_string_lossy().into_owned()
}

/// The quoted names among the arguments of a call.
fn names(arguments: &str) -> Vec<String> {
    arguments
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
