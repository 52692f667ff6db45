//! What connections cost in memory: many large uploads at once, and clients that stop reading.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;

use crate::dawdlers::{self, Dawdlers};
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
const MAX_MEGABYTES: f64 = 256.0;
/// What a kind of clients may make the server hold: the default of `limits.memory`.
const MOST_HELD_MEGABYTES: f64 = 134.0;

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
    /// Those that make the server hold more than they should.
    dawdlers: Vec<Dawdlers>,
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
    let digest = stored_blob(&started, nonce)?;
    started.process.stop()?;
    let started = ours.start()?;
    let readers_growth = slow_readers(&started, &digest)?;
    let mut held = Vec::new();
    started.process.stop()?;
    let started = ours.start()?;
    held.push(dawdlers::cold_readers(&started, directory, &digest)?);
    started.process.stop()?;
    let started = ours.start()?;
    held.push(dawdlers::dripping_manifests(&started)?);
    started.process.stop()?;
    held.push(dawdlers::streams_without_window(
        Ours::new(binary, directory)?,
        directory,
        &digest,
    )?);
    let started = ours.start()?;
    let (sample, peak) = uploads(&started, upload, nonce + 1)?;
    Ok(MemoryUse {
        dawdlers: held,
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

/// The digest of a blob that is there from now on.
fn stored_blob(started: &Started, nonce: u64) -> Result<String> {
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
    Ok(digest)
}

/// How much the memory grows by clients that begin to read and stop; in a server that has just started.
fn slow_readers(started: &Started, digest: &str) -> Result<u64> {
    eprintln!("memory: {READERS} clients begin to read and stop");
    let before = started.process.memory()?.resident;
    let readers = dawdlers::readers(started, digest, READERS)?;
    std::thread::sleep(SETTLE);
    let during = started.process.memory()?.resident;
    drop(readers);
    Ok(during.saturating_sub(before))
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
        let peak = Check::new(
            what,
            Bound::Below(MAX_MEGABYTES),
            Some(self.peak_resident as f64 / 1e6),
        );
        let held = self.dawdlers.iter().map(|dawdlers| {
            Check::new(
                format!("MB held for {}", dawdlers.what),
                Bound::Below(MOST_HELD_MEGABYTES),
                Some(dawdlers.growth as f64 / 1e6),
            )
        });
        std::iter::once(peak).chain(held).collect()
    }

    /// The table for people.
    pub(crate) fn markdown(&self) -> String {
        let per_reader = self.readers_growth / (self.readers as u64).max(1) / 1024;
        let table = format!(
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
        );
        let row = |dawdlers: &Dawdlers| {
            format!(
                "| {}, growth | {} |\n",
                dawdlers.what,
                Self::megabytes(dawdlers.growth)
            )
        };
        self.dawdlers
            .iter()
            .map(row)
            .fold(table, |table, row| table + &row)
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
            dawdlers: vec![Dawdlers {
                what: "clients that wait".to_owned(),
                growth: 12_000_000,
            }],
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
        assert!(text.ends_with("| clients that wait, growth | 12.0 |\n"), "{text}");
        assert_eq!(with_peak(1).checks().len(), 2);
    }
}
