//! Starts registries for the measurement and watches what they use.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::connection::{Body, Connection};
use crate::target::{Address, Target};

/// A server that is not up by then never will be.
const START: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(2);
/// What our server logs after it has read its configuration again.
const RELOADED: &str = "reloaded the configuration";
/// A server is at rest when it has used next to no processor time for as long as this.
const REST: Duration = Duration::from_secs(3);
const REST_PROCESSOR_SECONDS: f64 = 0.05;
/// One that is busy for longer by itself does not come to rest.
const UNREST: Duration = Duration::from_secs(180);
/// `USER_HZ`: in this unit Linux shows processor time to programs, on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// A server process; killed and waited for when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Forgets the peak so far, so that the next one belongs to one scenario.
    pub(crate) fn reset_peak_memory(&self) -> Result<()> {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(&path, "5").with_context(|| format!("writing {path}"))
    }

    /// What it has in memory now, and the most it had since the last reset.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        Memory::parse(&status)
    }

    /// Largest resident memory since the last reset, in bytes (`VmHWM`).
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        Ok(self.memory()?.peak)
    }

    /// Asks it to read its configuration again.
    pub(crate) fn hang_up(&self) -> Result<()> {
        self.signal(Signal::HUP)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let status: ExitStatus = self.child.wait().context("waiting for the server to stop")?;
        ensure!(
            status.success(),
            "the server ended with {status} when told to stop"
        );
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.context("the server has no process id")?, signal).context("sending a signal")
    }

    /// Waits until it does nothing more by itself, such as merging what it was filled with. Returns how long that took
    /// and the processor time that it used meanwhile, in seconds.
    pub(crate) fn come_to_rest(&self) -> Result<(Duration, f64)> {
        let begun = Instant::now();
        let first = self.processor_seconds()?;
        let mut before = first;
        loop {
            std::thread::sleep(REST);
            let now = self.processor_seconds()?;
            if now - before < REST_PROCESSOR_SECONDS {
                return Ok((begun.elapsed(), now - first));
            }
            ensure!(
                begun.elapsed() < UNREST,
                "the server is still busy {UNREST:?} after its last request"
            );
            before = now;
        }
    }

    /// Processor time used so far, of all threads, in seconds.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        // The name in parentheses may contain spaces; user and system time are the 12th and 13th field behind it.
        let (_, fields) = stat.rsplit_once(')').context("malformed stat")?;
        let ticks: f64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<f64>().ok())
            .sum();
        Ok(ticks / TICKS_PER_SECOND)
    }
}

/// Memory of a process in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident now, mapped files included (`VmRSS`).
    pub(crate) resident: u64,
    /// Resident now without files (`RssAnon`).
    pub(crate) anonymous: u64,
    /// Most resident since the last reset (`VmHWM`).
    pub(crate) peak: u64,
}

impl Memory {
    fn parse(status: &str) -> Result<Self> {
        let value = |name: &str| -> Result<u64> {
            let mut lines = status.lines().filter_map(|line| line.split_once(':'));
            let (_, value) = lines
                .find(|(key, _)| *key == name)
                .with_context(|| format!("no {name}"))?;
            let kibibytes: u64 = value.trim().trim_end_matches(" kB").parse()?;
            Ok(kibibytes * 1024)
        };
        Ok(Self {
            resident: value("VmRSS")?,
            anonymous: value("RssAnon")?,
            peak: value("VmHWM")?,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the data directory goes with the run.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Our server with its data: it can be started again and again.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    binary: PathBuf,
    directory: PathBuf,
    version: String,
    settings: String,
    http: String,
}

impl Ours {
    /// A server that keeps everything in `directory`.
    pub(crate) fn new(binary: &Path, directory: &Path) -> Result<Self> {
        Ok(Self {
            binary: binary.to_owned(),
            directory: directory.to_owned(),
            version: version(binary)?,
            settings: String::new(),
            http: String::new(),
        })
    }

    /// The same with more settings of `http`, each after a comma.
    pub(crate) fn with_http(self, settings: &str) -> Self {
        Self {
            http: settings.to_owned(),
            ..self
        }
    }

    /// The same with more lines of configuration.
    pub(crate) fn with(self, settings: &str) -> Self {
        Self {
            settings: settings.to_owned(),
            ..self
        }
    }

    /// What it says about its version.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Starts it as in production: RocksDB, filesystem, log level info; everybody may do everything.
    pub(crate) fn start(&self) -> Result<Started> {
        let [public, operations] = free_ports()?;
        self.write_configuration([public, operations])?;
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.configuration_file());
        let (address, probe) = (Address::loopback(public), Address::loopback(operations));
        let begun = Instant::now();
        let process = start("zas", command, &probe, "/readyz", &self.directory)?;
        Ok(Started {
            ready_after: begun.elapsed(),
            process,
            address,
            ports: [public, operations],
        })
    }

    /// Puts other lines of configuration in force in a running server, and returns when they are.
    pub(crate) fn reconfigure(&mut self, started: &Started, settings: &str) -> Result<()> {
        settings.clone_into(&mut self.settings);
        let before = self.log_lines_with(RELOADED)?;
        self.write_configuration(started.ports)?;
        started.process.hang_up()?;
        let start = Instant::now();
        while self.log_lines_with(RELOADED)? == before {
            ensure!(
                start.elapsed() < START,
                "the server did not read its configuration again"
            );
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// How many lines of its log contain a text.
    fn log_lines_with(&self, text: &str) -> Result<usize> {
        let log = std::fs::read_to_string(self.directory.join("log")).context("reading the server's log")?;
        Ok(log.lines().filter(|line| line.contains(text)).count())
    }

    fn configuration_file(&self) -> PathBuf {
        self.directory.join("config.yaml")
    }

    fn write_configuration(&self, [public, operations]: [u16; 2]) -> Result<()> {
        let data = self.directory.display();
        let configuration = format!(
            r#"configVersion: 1
http: {{ listen: "127.0.0.1:{public}"{} }}
operations: {{ listen: "127.0.0.1:{operations}" }}
storage:
  metadata: {{ engine: rocksdb, path: "{data}/metadata" }}
  blobs: {{ store: filesystem, path: "{data}/blobs" }}
accessControl:
  repositories:
    "**": {{ anonymousPolicy: [read, create, update, delete] }}
log: {{ level: info, format: json }}
{}"#,
            self.http, self.settings
        );
        // A server that reads meanwhile must not see half of it.
        let partial = self.directory.join("config.partial");
        std::fs::write(&partial, configuration)?;
        Ok(std::fs::rename(&partial, self.configuration_file())?)
    }
}

/// A running server of ours.
#[derive(Debug)]
pub(crate) struct Started {
    /// The process.
    pub(crate) process: Process,
    /// Where clients find it.
    pub(crate) address: Address,
    /// From its start until it said that it is ready.
    pub(crate) ready_after: Duration,
    ports: [u16; 2],
}

/// Starts our server as a target.
pub(crate) fn start_ours(binary: &Path, directory: &Path) -> Result<Target> {
    let ours = Ours::new(binary, directory)?;
    let started = ours.start()?;
    Ok(Target {
        name: "zas".to_owned(),
        address: started.address,
        version: ours.version,
        process: Some(started.process),
    })
}

/// Starts CNCF distribution with its filesystem driver and the in-memory descriptor cache of its sample configuration.
pub(crate) fn start_distribution(binary: &Path, directory: &Path) -> Result<Target> {
    let [public, _] = free_ports()?;
    let data = directory.display();
    let configuration = format!(
        r#"version: 0.1
log: {{ level: info, formatter: json }}
storage:
  filesystem: {{ rootdirectory: "{data}/registry" }}
  cache: {{ blobdescriptor: inmemory }}
  delete: {{ enabled: true }}
http: {{ addr: "127.0.0.1:{public}" }}
"#
    );
    let file = directory.join("config.yaml");
    std::fs::write(&file, configuration)?;
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .arg(&file)
        .env("OTEL_TRACES_EXPORTER", "none");
    let address = Address::loopback(public);
    let process = start("distribution", command, &address, "/v2/", directory)?;
    Ok(Target {
        name: "distribution".to_owned(),
        address,
        version: version(binary)?,
        process: Some(process),
    })
}

/// Starts a server and waits until it answers the path with 200.
fn start(name: &str, mut command: Command, probe: &Address, path: &str, directory: &Path) -> Result<Process> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(directory.join("log"))?;
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .current_dir(directory);
    let child = command.spawn().with_context(|| format!("starting {name}"))?;
    let mut process = Process { child };
    if let Err(error) = wait_until_ready(&mut process, probe, path) {
        let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
        bail!("{name} did not start: {error:#}\n{log}");
    }
    Ok(process)
}

fn wait_until_ready(process: &mut Process, address: &Address, path: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let start = Instant::now();
    loop {
        let answer = runtime.block_on(async {
            let mut connection = Connection::open(address).await?;
            connection.request("GET", path, Body::None).await
        });
        if let Some(status) = process.child.try_wait()? {
            bail!("it ended with {status}");
        }
        match answer {
            Ok(head) if head.status == 200 => return Ok(()),
            Ok(head) => ensure!(start.elapsed() < START, "{path} is answered {}", head.status),
            Err(error) => ensure!(start.elapsed() < START, "{error:#}"),
        }
        std::thread::sleep(POLL);
    }
}

fn version(binary: &Path) -> Result<String> {
    let output = Command::new(binary)
        .arg("--version")
        .output()
        .with_context(|| format!("running {}", binary.display()))?;
    Ok(without_path(&String::from_utf8_lossy(&output.stdout)))
}

/// The first line of what a program says about its version, without the path by which it was called.
fn without_path(text: &str) -> String {
    let words = text.lines().next().unwrap_or_default().split_whitespace();
    words
        .filter(|word| !word.starts_with('/'))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Two ports that were free a moment ago.
fn free_ports() -> Result<[u16; 2]> {
    let (one, two) = (
        std::net::TcpListener::bind("127.0.0.1:0")?,
        std::net::TcpListener::bind("127.0.0.1:0")?,
    );
    Ok([one.local_addr()?.port(), two.local_addr()?.port()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_status_of_a_process_when_read_then_its_memory_is_known_in_bytes() {
        let status = "Name:\tserver\nVmHWM:\t     300 kB\nVmRSS:\t     200 kB\nRssAnon:\t     100 kB\n";
        let memory = Memory {
            resident: 200 << 10,
            anonymous: 100 << 10,
            peak: 300 << 10,
        };
        assert_eq!(Memory::parse(status).unwrap(), memory);
        assert!(Memory::parse("Name:\tserver\n").is_err());
    }

    #[test]
    fn given_a_version_with_the_path_of_its_program_when_read_then_only_the_version_is_left() {
        let text = "/opt/bin/registry github.com/distribution/distribution/v3 v3.1.2\nmore\n";
        assert_eq!(
            without_path(text),
            "github.com/distribution/distribution/v3 v3.1.2"
        );
        assert_eq!(
            without_path("zot-artifact-store 0.2.0"),
            "zot-artifact-store 0.2.0"
        );
    }
}
