//! What connections cost in memory: many large uploads at once, and clients that stop reading.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;

use crate::fixture::STREAMS;
use crate::load::{Load, Sample, drive};
use crate::payload::{Block, Payload};
use crate::process::{Memory, Ours, Process, Started};
use crate::registry::push_blob;
use crate::requirement::{Bound, Check};
use crate::statistics::rounded;

const MIB: u64 = 1 << 20;
const UPLOADS: usize = 64;
const UPLOADING_THREADS: usize = 2;
const READERS: usize = 256;
const READ_BLOB: u64 = 64 * MIB;
const SAMPLE: Duration = Duration::from_millis(20);
/// The server has filled every buffer it ever will for a reader that stopped.
const SETTLE: Duration = Duration::from_secs(3);
/// Left free on the disk besides what is written.
const SPARE: u64 = 2 << 30;
/// "RSS < 256 MB".
const MOST_MEGABYTES: f64 = 256.0;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MemoryUse {
    upload_bytes: u64,
    /// MB/s of all uploads together.
    upload_rate: f64,
    peak_resident: u64,
    peak_anonymous: u64,
    idle_resident: u64,
    readers: usize,
    /// Growth of the resident memory while they hold their connections.
    readers_growth: u64,
}

/// Measures with a server of ours below `directory`; every upload has `upload` bytes.
pub(crate) fn measure(binary: &Path, directory: &Path, upload: u64, nonce: u64) -> Result<MemoryUse> {
    let needed = upload * UPLOADS as u64 + SPARE;
    let free = free_space(directory)?;
    ensure!(
        free >= needed,
        "{} MiB are free in {}, and {UPLOADS} uploads of {} MiB need {} MiB: choose a smaller --upload-size",
        free / MIB,
        directory.display(),
        upload / MIB,
        needed / MIB
    );
    let ours = Ours::new(binary, directory)?;
    let started = ours.start()?;
    let idle_resident = started.process.memory()?.resident;
    let (readers_growth, started) = slow_readers(&ours, started, nonce)?;
    let (sample, peak) = uploads(&started, upload, nonce + 1)?;
    Ok(MemoryUse {
        upload_bytes: upload,
        upload_rate: sample.bytes as f64 / 1e6 / sample.elapsed.as_secs_f64(),
        peak_resident: peak.peak,
        peak_anonymous: peak.anonymous,
        idle_resident,
        readers: READERS,
        readers_growth,
    })
}

fn free_space(directory: &Path) -> Result<u64> {
    let filesystem = rustix::fs::statvfs(directory).context("looking for free disk space")?;
    Ok(filesystem.f_bavail * filesystem.f_frsize)
}

fn uploads(started: &Started, upload: u64, nonce: u64) -> Result<(Sample, Memory)> {
    eprintln!("memory: hashing {UPLOADS} blobs of {} MiB", upload / MIB);
    let mut block = Block::new();
    let payload = |index: u64| Payload {
        nonce: nonce + index,
        length: upload,
    };
    let digests: Vec<String> = (0..UPLOADS as u64)
        .map(|index| payload(index).digest(&mut block))
        .collect();
    let load = Load {
        clients: UPLOADS,
        threads: UPLOADING_THREADS,
        count: UPLOADS as u64,
        time: Duration::MAX,
    };
    eprintln!("memory: pushing them at the same time");
    started.process.reset_peak_memory()?;
    watched(&started.process, || {
        drive(load, &started.address, async |connection, index| {
            let digest = digests
                .get(index as usize)
                .context("more pushes than were prepared")?;
            push_blob(connection, STREAMS, payload(index), digest).await
        })
    })
}

/// Does something, with the largest memory of the process meanwhile.
fn watched<T: Send>(process: &Process, work: impl FnOnce() -> Result<T> + Send) -> Result<(T, Memory)> {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            let done = work();
            is_done.store(true, Ordering::Release);
            done
        });
        let mut largest = Memory::default();
        while !is_done.load(Ordering::Acquire) && !work.is_finished() {
            std::thread::sleep(SAMPLE);
            let now = process.memory()?;
            largest.anonymous = largest.anonymous.max(now.anonymous);
            largest.resident = largest.resident.max(now.resident);
            // Known by the kernel, also between two looks.
            largest.peak = now.peak;
        }
        let done = work.join().map_err(|_| anyhow!("the watched work panicked"))??;
        largest.peak = process.memory()?.peak;
        Ok((done, largest))
    })
}

/// How much the memory grows by clients that begin to read and stop; in a server that has just started.
fn slow_readers(ours: &Ours, started: Started, nonce: u64) -> Result<(u64, Started)> {
    let payload = Payload {
        nonce,
        length: READ_BLOB,
    };
    let digest = payload.digest(&mut Block::new());
    let one = Load {
        clients: 1,
        threads: 1,
        count: 1,
        time: Duration::MAX,
    };
    drive(one, &started.address, async |connection, _| {
        push_blob(connection, STREAMS, payload, &digest).await
    })?;
    started.process.stop()?;
    let started = ours.start()?;
    eprintln!("memory: {READERS} clients begin to read and stop");
    let before = started.process.memory()?.resident;
    let request = format!(
        "GET /v2/{STREAMS}/blobs/{digest} HTTP/1.1\r\nHost: {}\r\n\r\n",
        started.address.host()
    );
    let mut readers = Vec::with_capacity(READERS);
    for _ in 0..READERS {
        let mut reader = TcpStream::connect(started.address.host())?;
        reader.write_all(request.as_bytes())?;
        let mut status = [0; 12];
        reader.read_exact(&mut status)?;
        ensure!(
            &status == b"HTTP/1.1 200",
            "a reader was answered {}",
            String::from_utf8_lossy(&status)
        );
        readers.push(reader);
    }
    std::thread::sleep(SETTLE);
    let during = started.process.memory()?.resident;
    drop(readers);
    Ok((during.saturating_sub(before), started))
}

impl MemoryUse {
    fn megabytes(bytes: u64) -> String {
        rounded(bytes as f64 / 1e6)
    }

    /// What is required.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let what = format!(
            "MB of resident memory (peak) with {UPLOADS} parallel uploads of {} MiB",
            self.upload_bytes / MIB
        );
        vec![Check::new(
            what,
            Bound::Below(MOST_MEGABYTES),
            Some(self.peak_resident as f64 / 1e6),
        )]
    }

    /// The table for people.
    pub(crate) fn markdown(&self) -> String {
        let per_reader = self.readers_growth / (self.readers as u64).max(1) / 1024;
        format!(
            "| state of the server | MB |\n|---|---:|\n\
             | idle, resident | {} |\n\
             | {UPLOADS} uploads of {} MiB at {} MB/s together, peak resident (`VmHWM`, with mapped files) | {} |\n\
             | the same, peak without files (`RssAnon`) | {} |\n\
             | {} clients that stopped reading a blob of 64 MiB, growth: {per_reader} KiB each | {} |\n",
            Self::megabytes(self.idle_resident),
            self.upload_bytes / MIB,
            rounded(self.upload_rate),
            Self::megabytes(self.peak_resident),
            Self::megabytes(self.peak_anonymous),
            self.readers,
            Self::megabytes(self.readers_growth),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_peak(peak_resident: u64) -> MemoryUse {
        MemoryUse {
            upload_bytes: 256 * MIB,
            upload_rate: 500.0,
            peak_resident,
            peak_anonymous: 100_000_000,
            idle_resident: 30_000_000,
            readers: 256,
            readers_growth: 256 * 300 * 1024,
        }
    }

    #[test]
    fn given_peaks_around_the_limit_when_judged_then_the_limit_itself_is_too_much() {
        let verdict = |peak| with_peak(peak).checks().first().map(Check::verdict);
        assert_eq!(verdict(255_000_000), Some("reached"));
        assert_eq!(verdict(256_000_000), Some("**not reached**"));
    }

    #[test]
    fn given_readers_when_reported_then_their_share_is_told() {
        let text = with_peak(1).markdown();
        assert!(text.contains("growth: 300 KiB each"), "{text}");
    }
}
