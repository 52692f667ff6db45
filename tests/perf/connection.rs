//! A small HTTP/1.1 client: one kept-alive connection, one request at a time, no copies beyond the socket's.

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::payload::{BLOCK, Block, Payload};
use crate::target::Address;

const READ_BUFFER: usize = 256 * 1024;
const MAX_HEADERS: usize = 64;
/// Without its type in this list, distribution answers an OCI manifest with 404.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, */*";
const MAX_HEAD: usize = 64 * 1024;

/// What a request carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'a> {
    /// Nothing.
    None,
    /// Bytes with their media type.
    Bytes(&'a str, &'a [u8]),
    /// Made while it is sent, with a `Content-Length`.
    Sized(Payload),
    /// Made while it is sent, in chunks, as a client sends that does not know the length.
    Chunked(Payload),
}

/// The head of an answer.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// Status code.
    pub(crate) status: u16,
    /// `Location`, as path and query.
    pub(crate) location: Option<String>,
    length: Option<u64>,
    is_chunked: bool,
    closes: bool,
}

/// A connection with its buffers.
#[derive(Debug)]
pub(crate) struct Connection {
    address: Address,
    stream: TcpStream,
    incoming: BytesMut,
    outgoing: Vec<u8>,
    body: Vec<u8>,
    block: Block,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: &Address) -> Result<Self> {
        Ok(Self {
            address: address.clone(),
            stream: connect(address).await?,
            incoming: BytesMut::with_capacity(READ_BUFFER),
            outgoing: Vec::with_capacity(2048),
            body: Vec::new(),
            block: Block::new(),
        })
    }

    /// The body of the last answer to [`Connection::request`].
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Sends a request and collects the answer's body.
    pub(crate) async fn request(&mut self, method: &str, path: &str, body: Body<'_>) -> Result<Head> {
        let head = self.send(method, path, body).await?;
        let mut collected = std::mem::take(&mut self.body);
        collected.clear();
        self.receive(method, &head, |piece| collected.extend_from_slice(piece))
            .await?;
        self.body = collected;
        Ok(head)
    }

    /// Gets something large without keeping it; every piece is shown to `sink` once. Returns the length.
    pub(crate) async fn download(&mut self, path: &str, mut sink: impl FnMut(&[u8])) -> Result<(Head, u64)> {
        let head = self.send("GET", path, Body::None).await?;
        let mut length = 0;
        self.receive("GET", &head, |piece| {
            length += piece.len() as u64;
            sink(piece);
        })
        .await?;
        Ok((head, length))
    }

    async fn send(&mut self, method: &str, path: &str, body: Body<'_>) -> Result<Head> {
        self.outgoing.clear();
        let host = self.address.host();
        let line = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {ACCEPT}\r\n");
        self.outgoing.extend_from_slice(line.as_bytes());
        self.write_body(body)
            .await
            .with_context(|| format!("sending {method} {path}"))?;
        self.receive_head()
            .await
            .with_context(|| format!("answer to {method} {path}"))
    }

    async fn write_body(&mut self, body: Body<'_>) -> Result<()> {
        match body {
            Body::None => self.outgoing.extend_from_slice(b"Content-Length: 0\r\n\r\n"),
            Body::Bytes(media_type, bytes) => {
                let headers = format!(
                    "Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
                    bytes.len()
                );
                self.outgoing.extend_from_slice(headers.as_bytes());
                self.outgoing.extend_from_slice(bytes);
            }
            Body::Sized(payload) => return self.write_sized(payload).await,
            Body::Chunked(payload) => return self.write_chunked(payload).await,
        }
        Ok(self.stream.write_all(&self.outgoing).await?)
    }

    async fn write_sized(&mut self, payload: Payload) -> Result<()> {
        let headers = format!(
            "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            payload.length
        );
        self.outgoing.extend_from_slice(headers.as_bytes());
        if payload.blocks() <= 1 {
            self.outgoing.extend_from_slice(self.block.stamped(payload, 0));
            return Ok(self.stream.write_all(&self.outgoing).await?);
        }
        self.stream.write_all(&self.outgoing).await?;
        for index in 0..payload.blocks() {
            self.stream.write_all(self.block.stamped(payload, index)).await?;
        }
        Ok(())
    }

    async fn write_chunked(&mut self, payload: Payload) -> Result<()> {
        self.outgoing.extend_from_slice(
            b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        for index in 0..payload.blocks() {
            let block = self.block.stamped(payload, index);
            self.outgoing
                .extend_from_slice(format!("{:x}\r\n", block.len()).as_bytes());
            // The frame goes out together with the block before: two writes for each block, none of them tiny.
            self.stream.write_all(&self.outgoing).await?;
            self.stream.write_all(block).await?;
            self.outgoing.clear();
            self.outgoing.extend_from_slice(b"\r\n");
        }
        self.outgoing.extend_from_slice(b"0\r\n\r\n");
        Ok(self.stream.write_all(&self.outgoing).await?)
    }

    async fn receive_head(&mut self) -> Result<Head> {
        loop {
            if let Some((head, length)) = parse_head(&self.incoming)? {
                self.incoming.advance(length);
                if head.status >= 200 {
                    return Ok(head);
                }
                continue;
            }
            ensure!(
                self.incoming.len() < MAX_HEAD,
                "the head is longer than {MAX_HEAD} bytes"
            );
            self.fill().await?;
        }
    }

    async fn receive(&mut self, method: &str, head: &Head, mut sink: impl FnMut(&[u8])) -> Result<()> {
        let has_body = method != "HEAD" && head.status != 204 && head.status != 304;
        if has_body && head.is_chunked {
            self.receive_chunks(&mut sink).await?;
        } else if has_body {
            let length = head
                .length
                .context("an answer with neither a length nor chunks")?;
            self.receive_exactly(length, &mut sink).await?;
        }
        if head.closes {
            self.stream = connect(&self.address).await?;
            self.incoming.clear();
        }
        Ok(())
    }

    async fn receive_exactly(&mut self, length: u64, sink: &mut impl FnMut(&[u8])) -> Result<()> {
        let mut left = length;
        while left > 0 {
            if self.incoming.is_empty() {
                self.fill().await?;
            }
            let take = self
                .incoming
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            sink(self.incoming.get(..take).unwrap_or_default());
            self.incoming.advance(take);
            left -= take as u64;
        }
        Ok(())
    }

    async fn receive_chunks(&mut self, sink: &mut impl FnMut(&[u8])) -> Result<()> {
        loop {
            let size = loop {
                match httparse::parse_chunk_size(&self.incoming) {
                    Ok(httparse::Status::Complete((used, size))) => {
                        self.incoming.advance(used);
                        break size;
                    }
                    Ok(httparse::Status::Partial) => self.fill().await?,
                    Err(_) => bail!("the answer has a malformed chunk"),
                }
            };
            self.receive_exactly(size, sink).await?;
            self.receive_exactly(2, &mut |_| {}).await?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn fill(&mut self) -> Result<()> {
        // Goes back to the beginning of the same allocation when nothing is left in it.
        self.incoming
            .reserve(READ_BUFFER.saturating_sub(self.incoming.len()).max(4096));
        let received = self.stream.read_buf(&mut self.incoming).await?;
        ensure!(received > 0, "the server closed the connection");
        Ok(())
    }
}

async fn connect(address: &Address) -> Result<TcpStream> {
    let stream = TcpStream::connect(address.host())
        .await
        .with_context(|| format!("connecting to {}", address.host()))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The head at the start of `bytes` with its length, or `None` while it is not complete.
fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).context("malformed answer")? else {
        return Ok(None);
    };
    let mut head = Head {
        status: response.code.unwrap_or_default(),
        ..Head::default()
    };
    for header in response.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default();
        if header.name.eq_ignore_ascii_case("content-length") {
            head.length = Some(value.parse().context("malformed Content-Length")?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            head.is_chunked = value.eq_ignore_ascii_case("chunked");
        } else if header.name.eq_ignore_ascii_case("location") {
            head.location = Some(path_and_query(value).to_owned());
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.closes = value.eq_ignore_ascii_case("close");
        }
    }
    Ok(Some((head, length)))
}

fn path_and_query(location: &str) -> &str {
    let Some((_, rest)) = location.split_once("://") else {
        return location;
    };
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/")
}

const _: () = assert!(BLOCK <= READ_BUFFER);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_incomplete_head_when_parsed_then_more_is_asked_for() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nContent-Le").unwrap().is_none());
    }

    #[test]
    fn given_an_absolute_location_when_parsed_then_only_path_and_query_remain() {
        let bytes = b"HTTP/1.1 202 Accepted\r\nLocation: http://h:1/v2/a/blobs/uploads/1?s=2\r\nContent-Length: 0\r\n\r\n";
        let (head, length) = parse_head(bytes).unwrap().unwrap();
        assert_eq!((head.status, length), (202, bytes.len()));
        assert_eq!(head.location.unwrap(), "/v2/a/blobs/uploads/1?s=2");
        assert_eq!(head.length, Some(0));
    }

    #[test]
    fn given_no_http_when_parsed_then_it_is_an_error() {
        assert!(parse_head(b"SSH-2.0-server\r\n\r\n").is_err());
    }
}
