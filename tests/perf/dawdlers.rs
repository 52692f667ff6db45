//! What clients make a server hold that do not send what they announced, or do not read what they asked for.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::Advice;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde::Serialize;

use crate::fixture::STREAMS;
use crate::process::{Ours, Started};

const MIB: u64 = 1 << 20;
/// The largest manifest by default.
const MANIFEST: usize = 4 << 20;
const MANIFESTS: usize = 400;
const COLD_READERS: usize = 500;
/// Of one connection, whatever the server allows.
const STREAMS_ASKED: u32 = 10_000;
/// A connection that takes nothing for so long is one that the server does not read.
const PATIENCE: Duration = Duration::from_millis(100);
/// The server has filled every buffer it ever will.
const SETTLE: Duration = Duration::from_secs(3);
/// The connection preface, and settings in which a stream may be sent nothing.
const PREFACE: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00";

/// One kind of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Dawdlers {
    /// What they do, for people.
    pub(crate) what: String,
    /// Growth of the memory without files while they do it.
    pub(crate) growth: u64,
}

/// How much the memory without files grows while clients hold what `begin` returns.
fn growth<T>(started: &Started, what: String, begin: impl FnOnce() -> Result<T>) -> Result<Dawdlers> {
    eprintln!("memory: {what}");
    let before = started.process.memory()?.anonymous;
    let held = begin()?;
    std::thread::sleep(SETTLE);
    let during = started.process.memory()?.anonymous;
    drop(held);
    Ok(Dawdlers {
        what,
        growth: during.saturating_sub(before),
    })
}

/// Manifests of the largest size, all of which but the last byte is sent.
pub(crate) fn dripping_manifests(started: &Started) -> Result<Dawdlers> {
    let what = format!(
        "{MANIFESTS} clients that sent {} MiB of a manifest but for its last byte, as far as they were let",
        MANIFEST as u64 / MIB
    );
    growth(started, what, || {
        let host = started.address.host();
        let sent = vec![b' '; MANIFEST - 1];
        (0..MANIFESTS)
            .map(|number| {
                let mut client = TcpStream::connect(host)?;
                client.set_write_timeout(Some(PATIENCE))?;
                let head = format!(
                    "PUT /v2/{STREAMS}/manifests/drip-{number} HTTP/1.1\r\nHost: {host}\r\n\
                     Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: {MANIFEST}\r\n\r\n"
                );
                client.write_all(head.as_bytes())?;
                send_what_is_taken(&mut client, &sent)?;
                Ok(client)
            })
            .collect::<Result<Vec<_>>>()
    })
}

/// A client that is refused, or waits, has sent what it could.
fn send_what_is_taken(client: &mut impl Write, bytes: &[u8]) -> Result<()> {
    match client.write_all(bytes) {
        Ok(()) => Ok(()),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe => Ok(()),
            _ => Err(error).context("sending to the server"),
        },
    }
}

/// Clients that begin to read a blob of which nothing is in the page cache, and stop.
pub(crate) fn cold_readers(started: &Started, directory: &Path, digest: &str) -> Result<Dawdlers> {
    forget_content(&directory.join("blobs"))?;
    let what =
        format!("{COLD_READERS} clients that stopped reading the same blob, which was not in the page cache");
    growth(started, what, || readers(started, digest, COLD_READERS))
}

/// So many clients that have read the status line of the answer with a blob.
pub(crate) fn readers(started: &Started, digest: &str, count: usize) -> Result<Vec<TcpStream>> {
    let host = started.address.host();
    let request = format!("GET /v2/{STREAMS}/blobs/{digest} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    (0..count)
        .map(|_| {
            let mut reader = TcpStream::connect(host)?;
            reader.write_all(request.as_bytes())?;
            let mut status = [0; 12];
            reader.read_exact(&mut status)?;
            ensure!(
                &status == b"HTTP/1.1 200",
                "a reader was answered {}",
                String::from_utf8_lossy(&status)
            );
            Ok(reader)
        })
        .collect()
}

/// Takes the content of all files below a directory out of the page cache.
fn forget_content(directory: &Path) -> Result<()> {
    rustix::fs::sync();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            forget_content(&path)?;
        } else if let Ok(file) = std::fs::File::open(&path) {
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}

/// One connection of HTTP/2 that asks for a blob on many streams, none of which may be sent anything.
pub(crate) fn streams_without_window(ours: Ours, directory: &Path, digest: &str) -> Result<Dawdlers> {
    let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let (certificate, key) = (directory.join("tls.crt"), directory.join("tls.key"));
    std::fs::write(&certificate, issued.cert.pem())?;
    std::fs::write(&key, issued.signing_key.serialize_pem())?;
    let ours = ours.with_http(&format!(
        r#", tls: {{ certificateFile: "{}", privateKeyFile: "{}" }}"#,
        certificate.display(),
        key.display()
    ));
    let started = ours.start()?;
    let mut roots = RootCertStore::empty();
    roots.add(issued.cert.der().clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let what =
        format!("one connection of HTTP/2 that asked on {STREAMS_ASKED} streams and let nothing be sent");
    growth(&started, what, || {
        let socket = TcpStream::connect(started.address.host())?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let session = ClientConnection::new(Arc::new(tls), "127.0.0.1".try_into()?)?;
        let mut client = StreamOwned::new(session, socket);
        ask_on_streams(&mut client, digest)?;
        Ok(client)
    })
}

fn ask_on_streams(client: &mut (impl Read + Write), digest: &str) -> Result<()> {
    let block = header_block(&format!("/v2/{STREAMS}/blobs/{digest}"))?;
    client.write_all(PREFACE)?;
    let begun = Instant::now();
    for number in 0..STREAMS_ASKED {
        let length = u32::try_from(block.len())?.to_be_bytes();
        let mut frame = length[1..].to_vec();
        // HEADERS that end both themselves and the request.
        frame.extend([1, 0b101]);
        frame.extend((2 * number + 1).to_be_bytes());
        frame.extend(&block);
        let written = client.write_all(&frame).and_then(|()| client.flush());
        if let Err(error) = written {
            // The server has had enough.
            eprintln!("memory: the connection ended after {number} streams: {error}");
            return Ok(());
        }
        if number % 100 == 99 {
            discard(client);
        }
        ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "the server does not read"
        );
    }
    Ok(())
}

/// Lets the server go on sending what is not the content of streams.
fn discard(client: &mut impl Read) {
    let mut bytes = [0; 16 * 1024];
    // Until nothing comes for a while, or no more at all.
    while client.read(&mut bytes).is_ok_and(|length| length == bytes.len()) {}
}

/// The head of a GET in HPACK, without entries in a table (RFC 7541 section 6.2.2).
fn header_block(path: &str) -> Result<Vec<u8>> {
    // `:method: GET` and `:scheme: https` are in the static table, and the names of `:path` and `:authority`.
    let mut block = vec![0x82, 0x87];
    for (name, value) in [(4, path), (1, "127.0.0.1")] {
        let Ok(length) = u8::try_from(value.len()) else {
            bail!("{value} is too long");
        };
        block.push(name);
        if length < 127 {
            block.push(length);
        } else {
            block.extend([127, length - 127]);
        }
        block.extend(value.as_bytes());
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_path_when_written_in_hpack_then_as_the_rfc_says() {
        let block = header_block("/sample/path").unwrap();
        assert_eq!(&block[..4], [0x82, 0x87, 0x04, 0x0c]);
        assert_eq!(&block[4..16], b"/sample/path");
        assert_eq!(&block[16..18], [0x01, 0x09]);
        let long = header_block(&"x".repeat(130)).unwrap();
        assert_eq!(&long[2..5], [0x04, 0x7f, 0x03]);
    }
}
