//! How fast a durable write is, beside the limit it cannot pass: a plain write and sync. Hashing on one core, which
//! the services do beside it, is the other limit of an upload.
//!
//! `cargo run --release -p zas-blobs --example write_speed -- <directory> [MiB] [rounds]`
//!
//! All three are measured in each round, because a disk shared with others is never the same twice; judge the ratio
//! of the medians. The processor seconds are those of this process, in user and in kernel mode together.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measuring program speaks to a terminal"
)]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use zas_blobs::{Batch, BlobStore, FilesystemBlobs, FilesystemSettings, Write, batches};
use zas_core::{Algorithm, Hashing, LocationName, Timestamp, UploadId};

const MIB: usize = 1024 * 1024;
const BATCH: usize = MIB / 2;
/// About what a socket gives at once.
const PIECE: usize = MIB / 8;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned())).join("write-speed");
    let mut number = |default| {
        arguments
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (size, rounds) = (number(1024) * MIB, number(5));
    let content = random(size);
    fs::create_dir_all(&directory)?;

    let names = ["sha256", "write + fdatasync", "store"];
    let mut costs = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..rounds {
        let measured = [
            measure(|| hash(&content))?,
            measure(|| write(&directory.join("plain"), &content))?,
            measure(|| store(&directory, &content, round as u64))?,
        ];
        println!("round {round}: {}", show(&names, &measured, size));
        for (all, cost) in costs.iter_mut().zip(measured) {
            all.push(cost);
        }
    }
    fs::remove_dir_all(&directory)?;

    let medians = costs.map(|all| Cost {
        seconds: median(all.iter().map(|cost| cost.seconds)),
        processor: median(all.iter().map(|cost| cost.processor)),
    });
    println!("medians: {}", show(&names, &medians, size));
    let [_, written, stored] = medians.map(|cost| cost.seconds);
    println!("store / write: {:.2}", written / stored);
    Ok(())
}

/// What some work took.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    processor: f64,
}

fn show(names: &[&str], costs: &[Cost], size: usize) -> String {
    let gigabytes = size as f64 / 1e9;
    let shown = names.iter().zip(costs).map(|(name, cost)| {
        let (speed, processor) = (gigabytes / cost.seconds, cost.processor / gigabytes);
        format!("{name} {speed:.2} GB/s ({processor:.2} s/GB)")
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn hash(content: &Bytes) -> io::Result<()> {
    let mut hashing = Hashing::new(Algorithm::Sha256);
    content.chunks(PIECE).for_each(|piece| hashing.update(piece));
    std::hint::black_box(hashing.finish());
    Ok(())
}

fn write(path: &Path, content: &Bytes) -> io::Result<()> {
    let mut file = File::create(path)?;
    for piece in content.chunks(MIB) {
        file.write_all(piece)?;
    }
    file.sync_data()?;
    fs::remove_file(path)
}

fn store(directory: &Path, content: &Bytes, round: u64) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    runtime.block_on(async {
        let settings = FilesystemSettings { reserve_bytes: 0 };
        let store = FilesystemBlobs::open(directory, settings).map_err(io::Error::other)?;
        let name = LocationName {
            upload: UploadId::new(Timestamp::from_millis(round), &[7; 10]),
            start: 1,
            epoch: 1,
            ordinal: 0,
        };
        let (sender, batches) = batches();
        let feeding = tokio::spawn({
            let content = content.clone();
            async move {
                for batch in content.chunks(BATCH) {
                    let pieces = batch
                        .chunks(PIECE)
                        .map(|piece| content.slice_ref(piece))
                        .collect();
                    sender
                        .send(Batch::new(pieces, None))
                        .await
                        .expect("the store takes everything");
                }
            }
        });
        let expected = Some(content.len() as u64);
        let write = Write {
            name,
            batches,
            expected,
        };
        let length = store.write(write).await.map_err(io::Error::other)?;
        feeding.await.map_err(io::Error::other)?;
        std::hint::black_box(length);
        store.delete(name).await.map_err(io::Error::other)
    })
}

fn measure(work: impl FnOnce() -> io::Result<()>) -> io::Result<Cost> {
    let (start, processor) = (Instant::now(), processor_seconds()?);
    work()?;
    Ok(Cost {
        seconds: start.elapsed().as_secs_f64(),
        processor: processor_seconds()? - processor,
    })
}

/// User and kernel time of all threads so far, which proc(5) counts in hundredths of a second.
fn processor_seconds() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: f64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Ok(ticks / 100.0)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Bytes that neither the disk nor anything in between can compress.
fn random(length: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}
