//! Starts registries for the measurement and watches what they use.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::connection::{Body, Connection};
use crate::target::{Address, Target};

/// A server that is not up by then never will be.
const START: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
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

    /// Largest resident memory since the last reset, in bytes (`VmHWM`).
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .context("no VmHWM")?;
        let kibibytes: u64 = line
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .context("malformed VmHWM")?;
        Ok(kibibytes * 1024)
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

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the data directory goes with the run.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts our server as in production: RocksDB, filesystem, log level info; everybody may do everything.
pub(crate) fn start_ours(binary: &Path, directory: &Path) -> Result<Target> {
    let [public, operations] = free_ports()?;
    let data = directory.display();
    let configuration = format!(
        r#"configVersion: 1
http: {{ listen: "127.0.0.1:{public}" }}
operations: {{ listen: "127.0.0.1:{operations}" }}
storage:
  metadata: {{ engine: rocksdb, path: "{data}/metadata" }}
  blobs: {{ store: filesystem, path: "{data}/blobs" }}
accessControl:
  repositories:
    "**": {{ anonymousPolicy: [read, create, update, delete] }}
log: {{ level: info, format: json }}
"#
    );
    let file = directory.join("config.yaml");
    std::fs::write(&file, configuration)?;
    let mut command = Command::new(binary);
    command.arg("--config").arg(&file);
    start(
        "zas",
        version(binary)?,
        command,
        Address::loopback(public),
        directory,
    )
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
    start(
        "distribution",
        version(binary)?,
        command,
        Address::loopback(public),
        directory,
    )
}

fn start(
    name: &str,
    version: String,
    mut command: Command,
    address: Address,
    directory: &Path,
) -> Result<Target> {
    let log = File::create(directory.join("log"))?;
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .current_dir(directory);
    let child = command.spawn().with_context(|| format!("starting {name}"))?;
    let mut process = Process { child };
    if let Err(error) = wait_until_ready(&mut process, &address) {
        let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
        bail!("{name} did not start: {error:#}\n{log}");
    }
    Ok(Target {
        name: name.to_owned(),
        address,
        version,
        process: Some(process),
    })
}

fn wait_until_ready(process: &mut Process, address: &Address) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let start = Instant::now();
    loop {
        let answer = runtime.block_on(async {
            let mut connection = Connection::open(address).await?;
            connection.request("GET", "/v2/", Body::None).await
        });
        if let Some(status) = process.child.try_wait()? {
            bail!("it ended with {status}");
        }
        match answer {
            Ok(head) if head.status == 200 => return Ok(()),
            Ok(head) => ensure!(start.elapsed() < START, "/v2/ is answered {}", head.status),
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
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned())
}

/// Two ports that were free a moment ago.
fn free_ports() -> Result<[u16; 2]> {
    let (one, two) = (
        std::net::TcpListener::bind("127.0.0.1:0")?,
        std::net::TcpListener::bind("127.0.0.1:0")?,
    );
    Ok([one.local_addr()?.port(), two.local_addr()?.port()])
}
