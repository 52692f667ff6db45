//! An HTTP client that sends what a test says and nothing else: no redirects, no retries, no guessed headers.

use std::io::{self, Cursor, Read};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::blocking::Body;
use rustls::ClientConfig;

use crate::certificate::client_configuration;
use crate::transcript::message;
use crate::{Certificate, RawConnection, Response, Transcript};

/// Longer than any request of a test takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A name and its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub name: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// Credentials of these texts.
    pub fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
        }
    }

    /// The value of an `Authorization` header.
    pub fn basic(&self) -> String {
        format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", self.name, self.password))
        )
    }
}

/// A client of one listener. Cloning is cheap and shares connections and transcript.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::blocking::Client,
    tls: Option<ClientConfig>,
    origin: String,
    credentials: Option<Credentials>,
    transcript: Transcript,
}

impl Client {
    /// A client of `origin`, for example `http://127.0.0.1:8080`, that trusts `certificate`.
    pub fn new(origin: &str, certificate: Option<&Certificate>) -> Self {
        let configuration = client_configuration(certificate);
        let http = reqwest::blocking::Client::builder()
            .tls_backend_preconfigured(configuration.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .expect("the TLS configuration is one of rustls");
        Self {
            http,
            tls: certificate.map(|_| configuration),
            origin: origin.trim_end_matches('/').to_owned(),
            credentials: None,
            transcript: Transcript::default(),
        }
    }

    /// The same client signed in, or anonymous.
    pub fn with_credentials(&self, credentials: Option<Credentials>) -> Self {
        Self {
            credentials,
            ..self.clone()
        }
    }

    /// The same client writing to another transcript.
    pub fn with_transcript(&self, transcript: Transcript) -> Self {
        Self {
            transcript,
            ..self.clone()
        }
    }

    /// Who signs in.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.origin.split("://").nth(1).unwrap_or(&self.origin)
    }

    /// A request to a path, or to an absolute address that an answer named.
    #[track_caller]
    pub fn request(&self, method: &str, location: &str) -> Request<'_> {
        let method: Method = method.parse().expect("methods in tests are tokens");
        let url = if location.starts_with('/') {
            format!("{}{location}", self.origin)
        } else {
            location.to_owned()
        };
        Request {
            client: self,
            method,
            url,
            headers: Vec::new(),
            body: Vec::new(),
            is_chunked: false,
        }
    }

    /// A GET request.
    #[track_caller]
    pub fn get(&self, location: &str) -> Request<'_> {
        self.request("GET", location)
    }

    /// A HEAD request.
    #[track_caller]
    pub fn head(&self, location: &str) -> Request<'_> {
        self.request("HEAD", location)
    }

    /// A POST request.
    #[track_caller]
    pub fn post(&self, location: &str) -> Request<'_> {
        self.request("POST", location)
    }

    /// A PATCH request.
    #[track_caller]
    pub fn patch(&self, location: &str) -> Request<'_> {
        self.request("PATCH", location)
    }

    /// A PUT request.
    #[track_caller]
    pub fn put(&self, location: &str) -> Request<'_> {
        self.request("PUT", location)
    }

    /// A DELETE request.
    #[track_caller]
    pub fn delete(&self, location: &str) -> Request<'_> {
        self.request("DELETE", location)
    }

    /// A connection on which a test writes any bytes.
    #[track_caller]
    pub fn connect(&self) -> RawConnection {
        RawConnection::open(self.authority(), self.tls.clone(), self.transcript.clone())
    }

    /// The `Authorization` line for a raw request, empty for an anonymous client.
    pub fn authorization_line(&self) -> String {
        self.credentials
            .as_ref()
            .map(|own| format!("Authorization: {}\r\n", own.basic()))
            .unwrap_or_default()
    }
}

/// Why a request has no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// Nothing came, or not even the whole head.
    Head(reqwest::Error),
    /// The body was cut short.
    Body(io::Error),
}

/// A request under construction.
#[derive(Debug)]
pub struct Request<'a> {
    client: &'a Client,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    is_chunked: bool,
}

/// What becomes of a chunked request whose connection broke while its body was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// The server is there and has answered early: the request is sent again by hand.
    AskAgain,
    /// The server may have died: there is no answer, and asking again would be another request.
    Tell,
}

impl Request<'_> {
    /// Adds a header; a repeated name is sent repeatedly.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A body of known length.
    pub fn body(mut self, body: &[u8]) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// A body with chunked transfer encoding and without `Content-Length`.
    pub fn chunked_body(mut self, body: &[u8]) -> Self {
        self.is_chunked = true;
        self.body(body)
    }

    /// Sends the request and reads the whole answer.
    #[track_caller]
    pub fn send(self) -> Response {
        let line = format!("{} {}", self.method, self.url);
        match self.attempt(Loss::AskAgain) {
            Ok(response) => response,
            Err(error) => panic!("{line}: no answer: {error:?}"),
        }
    }

    /// Like [`Self::send`], for requests whose connection may break.
    ///
    /// # Errors
    /// The connection broke before the answer was complete: half of one is none.
    pub fn try_send(self) -> Result<Response, NoAnswer> {
        self.attempt(Loss::Tell)
    }

    fn attempt(mut self, loss: Loss) -> Result<Response, NoAnswer> {
        let line = format!("{} {}", self.method, self.url);
        if let Some(credentials) = &self.client.credentials {
            self.headers
                .push(("authorization".to_owned(), credentials.basic()));
        }
        let transcript = &self.client.transcript;
        transcript.add(message(&line, '>', &self.headers, &self.body));
        let answer = self.exchange(loss);
        match &answer {
            Ok(response) => {
                transcript.add(message(
                    &response.status.to_string(),
                    '<',
                    &response.headers,
                    &response.body,
                ));
            }
            Err(error) => transcript.add(format!("< no answer: {error:?}")),
        }
        answer
    }

    fn exchange(self, loss: Loss) -> Result<Response, NoAnswer> {
        let request = format!("{} {}", self.method, self.url);
        let mut builder = self.client.http.request(self.method.clone(), &self.url);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        builder = builder.body(match self.body.len() {
            _ if self.is_chunked => Body::new(Cursor::new(self.body.clone())),
            0 => Body::sized(io::empty(), 0),
            _ => Body::from(self.body.clone()),
        });
        let mut answer = match builder.send() {
            Err(error) if self.is_chunked && error.is_body() && loss == Loss::AskAgain => {
                return self.exchange_by_hand();
            }
            answer => answer.map_err(NoAnswer::Head)?,
        };
        let status = answer.status().as_u16();
        let text =
            |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        let mut body = Vec::new();
        answer.read_to_end(&mut body).map_err(NoAnswer::Body)?;
        Ok(Response {
            request,
            status,
            headers,
            body,
        })
    }
}

impl Request<'_> {
    /// Asks again: the HTTP client has lost an answer that came before the end of what it sent.
    fn exchange_by_hand(&self) -> Result<Response, NoAnswer> {
        let path = self.url.strip_prefix(&self.client.origin).unwrap_or(&self.url);
        let authority = self.client.authority();
        let mut head = format!("{} {path} HTTP/1.1\r\nhost: {authority}\r\n", self.method);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("transfer-encoding: chunked\r\n\r\n");
        let mut connection = RawConnection::open(authority, self.client.tls.clone(), Transcript::default());
        connection.send(head.as_bytes());
        for piece in self.body.chunks(64 * 1024) {
            connection.send(&[format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
        }
        connection.send(b"0\r\n\r\n");
        connection
            .response()
            .ok_or_else(|| NoAnswer::Body(io::ErrorKind::UnexpectedEof.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one request with these bytes and closes.
    fn server(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
        let address = listener.local_addr().expect("it is bound");
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a client comes");
            let mut request = [0; 4096];
            let _ = socket.read(&mut request);
            let _ = socket.write_all(answer);
        });
        format!("http://{address}")
    }

    #[test]
    fn given_a_body_cut_short_when_read_then_there_is_no_answer() {
        for cut in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        ] {
            let answer = Client::new(&server(cut), None).get("/").try_send();
            assert!(matches!(answer, Err(NoAnswer::Body(_))), "{answer:?}");
        }
        let mut connection = Client::new(
            &server(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
            None,
        )
        .connect();
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(connection.response().is_none());
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf";
        let answer = Client::new(&server(whole), None).get("/").send();
        answer.expect_body(b"half");
    }
}
