//! A layer larger than what any part of the way could hold in memory.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};

use zas_tests::{media_type, random_bytes};

use crate::workstation::{PASSWORD, USER, Workstation};

const GIBIBYTE: u64 = 1024 * 1024 * 1024;
const LAYER_SIZE: u64 = 2 * GIBIBYTE;

/// Random bytes appear this often; the holes between them are read as zeros and cost no disk.
const STRIDE: u64 = 16 * 1024 * 1024;

/// Far below the layer, far above what the server needs otherwise.
const MEMORY_LIMIT_KIB: u64 = 768 * 1024;

fn write_layer(station: &Workstation) {
    let mut file = File::create(station.path("layer")).expect("home is writable");
    for number in 0..LAYER_SIZE / STRIDE {
        // Off the block boundaries, so that a shifted or swapped block changes the digest.
        file.seek(SeekFrom::Start(number * STRIDE + number * 13))
            .expect("a file can be positioned");
        file.write_all(&random_bytes(number, 64 * 1024))
            .expect("the disk has room");
    }
    file.set_len(LAYER_SIZE)
        .expect("the file system has sparse files");
}

/// The largest memory the server's process has ever had resident.
fn peak_memory_kib(station: &Workstation) -> u64 {
    let status =
        fs::read_to_string(format!("/proc/{}/status", station.server.process_id())).expect("the server runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("linux reports the peak");
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number of KiB")
}

#[test]
fn given_a_layer_of_two_gibibytes_when_pushed_by_oras_then_curl_downloads_the_same_bytes() {
    // Given
    let station = Workstation::without_tls();
    station.run(
        "oras",
        &[
            "login",
            "--plain-http",
            "-u",
            USER,
            "-p",
            PASSWORD,
            &station.registry(),
        ],
    );
    write_layer(&station);
    let sum = |file: &str| station.run("sha256sum", &[file])[..64].to_owned();
    let digest = sum("layer");

    // When
    let layer = format!("layer:{}", media_type::LAYER);
    station.run(
        "oras",
        &["push", "--plain-http", &station.reference("team/large:1"), &layer],
    );

    // Then
    let address = format!("{}/v2/team/large/blobs/sha256:{digest}", station.http().origin());
    let credentials = format!("{USER}:{PASSWORD}");
    station.run(
        "curl",
        &["-sSf", "-u", &credentials, "-o", "downloaded", &address],
    );
    assert_eq!(
        fs::metadata(station.path("downloaded"))
            .map(|file| file.len())
            .ok(),
        Some(LAYER_SIZE)
    );
    assert_eq!(sum("downloaded"), digest);
    let peak = peak_memory_kib(&station);
    assert!(peak < MEMORY_LIMIT_KIB, "the server needed {peak} KiB");
}
