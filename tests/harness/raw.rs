//! A connection for requests that no well-behaved client sends.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::transcript::message;
use crate::{Response, Transcript};

/// Longer than the server takes to answer or to give up, shorter than a stuck test.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A TCP or TLS connection on which a test writes any bytes.
#[derive(Debug)]
pub struct RawConnection {
    stream: Stream,
    transcript: Transcript,
    request: String,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl RawConnection {
    #[track_caller]
    pub(crate) fn open(authority: &str, tls: Option<ClientConfig>, transcript: Transcript) -> Self {
        let socket = TcpStream::connect(authority).expect("the server listens");
        socket
            .set_read_timeout(Some(TIMEOUT))
            .expect("the timeout is not zero");
        socket
            .set_write_timeout(Some(TIMEOUT))
            .expect("the timeout is not zero");
        let stream = match tls {
            None => Stream::Plain(socket),
            Some(configuration) => {
                let name = ServerName::try_from("localhost").expect("the name is valid");
                let session =
                    ClientConnection::new(Arc::new(configuration), name).expect("the name is valid");
                Stream::Tls(Box::new(StreamOwned::new(session, socket)))
            }
        };
        Self {
            stream,
            transcript,
            request: "nothing sent".to_owned(),
        }
    }

    /// Writes bytes. A server that hung up meanwhile is no error: what it answered before is still read.
    pub fn send(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if self.request == "nothing sent" {
            self.request = text
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(200)
                .flat_map(char::escape_debug)
                .collect();
        }
        self.transcript.add(message("raw", '>', &[], bytes));
        let _ = self
            .writer()
            .write_all(bytes)
            .and_then(|()| self.writer().flush());
    }

    /// Says that nothing more will be written.
    pub fn finish_writing(&mut self) {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.socket().shutdown(Shutdown::Write);
    }

    /// Hangs up with a reset, as a client does that is killed or leaves with something unread.
    pub fn reset(self) {
        set_socket_linger(self.socket(), Some(Duration::ZERO)).expect("the socket is open");
    }

    /// The next answer, or `None` when the server closed the connection without a whole one. Silence is a failure.
    #[track_caller]
    pub fn response(&mut self) -> Option<Response> {
        let answer = self.read_response();
        match &answer {
            Some(found) => self.transcript.add(message(
                &found.status.to_string(),
                '<',
                &found.headers,
                &found.body,
            )),
            None => self.transcript.add("< closed without an answer".to_owned()),
        }
        answer
    }

    /// The next answer, which must come.
    #[track_caller]
    pub fn required_response(&mut self) -> Response {
        match self.response() {
            Some(response) => response,
            None => panic!("{}: the connection was closed without an answer", self.request),
        }
    }

    #[track_caller]
    fn read_response(&mut self) -> Option<Response> {
        let head = self.read_head()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let mut response = Response {
            request: self.request.clone(),
            status,
            headers,
            body: Vec::new(),
        };
        // Without a length the body ends with the connection: these tests get sized error bodies only.
        let length = response
            .header("content-length")
            .and_then(|value| value.parse().ok());
        let length: u64 = length.unwrap_or(0);
        let read = self.reader().take(length).read_to_end(&mut response.body);
        match read {
            Err(error) if is_timeout(&error) => panic!("{}: silence for {TIMEOUT:?}", self.request),
            // Half of an answer is none.
            read => read.is_ok_and(|read| read as u64 == length).then_some(response),
        }
    }

    /// Reads up to the empty line, one byte at a time so that nothing of the body is taken.
    #[track_caller]
    fn read_head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.reader().read(&mut byte) {
                Ok(1) => head.extend_from_slice(&byte),
                Err(error) if is_timeout(&error) => panic!("{}: silence for {TIMEOUT:?}", self.request),
                _ => return None,
            }
        }
        Some(String::from_utf8_lossy(&head).into_owned())
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream.get_ref(),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream,
        }
    }

    fn reader(&mut self) -> &mut dyn Read {
        match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream,
        }
    }

    /// Whether the server has closed the connection, waiting for it until the timeout.
    pub fn is_closed_by_server(&mut self) -> bool {
        match self.reader().read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => !is_timeout(&error),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
