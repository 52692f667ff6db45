//! What the machine allows, measured beside the servers in the same rounds.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};

use crate::load::{Load, drive};
use crate::registry::get;
use crate::target::Address;

const CHUNK: usize = 256 * 1024;
const LOOPBACK_BYTES: u64 = 2 << 30;
const HASHED_BYTES: u64 = 512 << 20;
const WRITTEN_BYTES: u64 = 1 << 30;
const APPEND: usize = 4096;
const SHORT: Duration = Duration::from_secs(1);

/// A bound that a scenario is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// One stream over loopback TCP: from a file in the page cache, and the receiver copies.
    CopyingLoopback,
    /// Four of them together.
    CopyingLoopbackFourStreams,
    /// The lower one of hashing on one core and writing durably.
    HashAndDisk,
    /// The same, as blobs of 1 MiB per second.
    HashAndDiskPerMebibyte,
    /// Appends of 4 KiB, each followed by `fdatasync`; a server that commits in groups may exceed it.
    DurableAppend,
    /// Bare actix-web answering every request with the same 1 KiB, to 16 clients.
    BareHttp,
}

/// The measured limits of one round.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(crate) struct Limits {
    /// MB/s, sent from a file in the page cache.
    pub(crate) copying_loopback: f64,
    /// MB/s of four such streams together.
    pub(crate) copying_loopback_four_streams: f64,
    /// MB/s, sent again and again from one buffer, which no server of files can do.
    pub(crate) loopback_of_one_buffer: f64,
    /// MB/s of four such streams together.
    pub(crate) loopback_of_one_buffer_four_streams: f64,
    /// MB/s on one core.
    pub(crate) sha256: f64,
    /// MB/s, 1 GiB with one `fdatasync` at the end.
    pub(crate) durable_write: f64,
    /// Per second.
    pub(crate) durable_append: f64,
    /// Requests per second of bare actix-web.
    pub(crate) bare_http: f64,
}

impl Limits {
    /// Measures all of them; `directory` is on the disk in question.
    pub(crate) fn measure(directory: &Path) -> Result<Self> {
        let path = directory.join("limit-write");
        let durable_write = durable_write(&path)?;
        // Written just now, so it is in the page cache.
        let file = Source::File(File::open(&path)?);
        let limits = Self {
            copying_loopback: loopback(1, &file)?,
            copying_loopback_four_streams: loopback(4, &file)?,
            loopback_of_one_buffer: loopback(1, &Source::OneBuffer)?,
            loopback_of_one_buffer_four_streams: loopback(4, &Source::OneBuffer)?,
            sha256: sha256(),
            durable_write,
            durable_append: durable_append(directory)?,
            bare_http: bare_http()?,
        };
        std::fs::remove_file(&path)?;
        Ok(limits)
    }

    /// The value of a limit in the unit of the scenarios that name it.
    pub(crate) fn value(&self, limit: Limit) -> f64 {
        let hash_and_disk = self.sha256.min(self.durable_write);
        match limit {
            Limit::CopyingLoopback => self.copying_loopback,
            Limit::CopyingLoopbackFourStreams => self.copying_loopback_four_streams,
            Limit::HashAndDisk => hash_and_disk,
            Limit::HashAndDiskPerMebibyte => hash_and_disk * 1e6 / f64::from(1 << 20),
            Limit::DurableAppend => self.durable_append,
            Limit::BareHttp => self.bare_http,
        }
    }
}

fn megabytes_per_second(bytes: u64, elapsed: Duration) -> f64 {
    bytes as f64 / 1e6 / elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// What a loopback stream sends.
#[derive(Debug)]
enum Source {
    /// The same buffer again and again: it stays in the processor's cache.
    OneBuffer,
    /// A file of [`WRITTEN_BYTES`] from its beginning, again when it ends.
    File(File),
}

impl Source {
    fn fill(&self, chunk: &mut [u8], offset: u64) -> Result<()> {
        match self {
            Self::OneBuffer => Ok(()),
            Self::File(file) => Ok(file.read_exact_at(chunk, offset % WRITTEN_BYTES)?),
        }
    }
}

fn loopback(streams: u64, source: &Source) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let each = LOOPBACK_BYTES / streams;
    let start = Instant::now();
    std::thread::scope(|scope| -> Result<()> {
        let mut threads = Vec::new();
        for _ in 0..streams {
            threads.push(scope.spawn(move || send(TcpStream::connect(address)?, each, source)));
            let (stream, _) = listener.accept()?;
            threads.push(scope.spawn(move || receive(stream)));
        }
        for thread in threads {
            thread
                .join()
                .map_err(|_| anyhow!("a loopback thread panicked"))??;
        }
        Ok(())
    })?;
    Ok(megabytes_per_second(LOOPBACK_BYTES, start.elapsed()))
}

fn send(mut stream: TcpStream, bytes: u64, source: &Source) -> Result<()> {
    let mut chunk = vec![0x5a; CHUNK];
    for index in 0..bytes / CHUNK as u64 {
        source.fill(&mut chunk, index * CHUNK as u64)?;
        stream.write_all(&chunk)?;
    }
    Ok(())
}

fn receive(mut stream: TcpStream) -> Result<()> {
    let mut chunk = vec![0; CHUNK];
    while stream.read(&mut chunk)? > 0 {}
    Ok(())
}

fn sha256() -> f64 {
    let chunk = vec![0x5a; CHUNK];
    let mut hash = Sha256::new();
    let start = Instant::now();
    for _ in 0..HASHED_BYTES / CHUNK as u64 {
        hash.update(&chunk);
    }
    std::hint::black_box(hash.finalize());
    megabytes_per_second(HASHED_BYTES, start.elapsed())
}

/// Leaves the file.
fn durable_write(path: &Path) -> Result<f64> {
    let mut file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
    let chunk = vec![0x5a; CHUNK];
    let start = Instant::now();
    for _ in 0..WRITTEN_BYTES / CHUNK as u64 {
        file.write_all(&chunk)?;
    }
    file.sync_data()?;
    Ok(megabytes_per_second(WRITTEN_BYTES, start.elapsed()))
}

fn durable_append(directory: &Path) -> Result<f64> {
    let path = directory.join("limit-append");
    let mut file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    let chunk = [0x5a; APPEND];
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < SHORT {
        file.write_all(&chunk)?;
        file.sync_data()?;
        count += 1;
    }
    let elapsed = start.elapsed();
    std::fs::remove_file(&path)?;
    Ok(f64::from(count) / elapsed.as_secs_f64())
}

/// The server that ours is built on, answering with bytes it has: what parsing and sockets cost alone.
fn bare_http() -> Result<f64> {
    let (send_started, started) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || serve_bare(&send_started));
    let Ok((address, handle)) = started.recv() else {
        thread.join().map_err(|_| anyhow!("the bare server panicked"))??;
        bail!("the bare server did not start");
    };
    let load = Load {
        clients: 16,
        threads: 1,
        count: u64::MAX,
        time: SHORT,
    };
    let sample = drive(load, &address, async |connection, _| get(connection, "/").await);
    // The command is sent at once; the end of the thread is the answer to it.
    drop(handle.stop(false));
    thread.join().map_err(|_| anyhow!("the bare server panicked"))??;
    let sample = sample?;
    Ok(sample.operations as f64 / sample.elapsed.as_secs_f64())
}

fn serve_bare(started: &Sender<(Address, ServerHandle)>) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| App::new().default_service(web::to(answer)))
            .workers(std::thread::available_parallelism()?.get())
            .disable_signals()
            .bind("127.0.0.1:0")?;
        let port = server
            .addrs()
            .first()
            .map(SocketAddr::port)
            .context("the bare server listens nowhere")?;
        let server = server.run();
        started.send((Address::loopback(port), server.handle()))?;
        Ok(server.await?)
    })
}

async fn answer() -> HttpResponse {
    HttpResponse::Ok().body(web::Bytes::from_static(&[b'x'; 1024]))
}
