//! Raw sockets against a listener in this process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::{Bytes, Data, Payload, get, to};
use actix_web::{App, HttpResponse};
use futures_util::StreamExt;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{RunningListener, Settings, start};
use crate::services::capacity::Shares;

/// Longer than anything takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

fn settings() -> Settings {
    Settings {
        workers: 1,
        blocking_threads: 1,
        connections: 100,
        keep_alive: LONG,
        head: LONG,
        stall: LONG,
        grace: LONG,
        windows: Arc::new(Shares::new(0)),
        tls: None,
    }
}

/// Reads nothing and refuses, after a while in which the client sends.
async fn refuse(payload: Payload) -> HttpResponse {
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(payload);
    HttpResponse::Unauthorized().body("no")
}

async fn refuse_without_words(payload: Payload) -> HttpResponse {
    drop(payload);
    HttpResponse::Forbidden().finish()
}

/// Counts the bytes of the body.
async fn read(mut payload: Payload) -> HttpResponse {
    let mut length = 0;
    while let Some(piece) = payload.next().await {
        match piece {
            Ok(piece) => length += piece.len(),
            Err(error) => return HttpResponse::BadRequest().body(error.to_string()),
        }
    }
    HttpResponse::Ok().body(length.to_string())
}

/// The same, more slowly than a client sends.
async fn read_slowly(mut payload: Payload) -> HttpResponse {
    let mut length = 0;
    while let Some(piece) = payload.next().await {
        match piece {
            Ok(piece) => length += piece.len(),
            Err(error) => return HttpResponse::BadRequest().body(error.to_string()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    HttpResponse::Ok().body(length.to_string())
}

/// Reads the body and works for a while, and tells at its end what it has read.
async fn store(mut payload: Payload, ended: Data<Mutex<Vec<String>>>) -> HttpResponse {
    let mut end = "whole";
    while let Some(piece) = payload.next().await {
        if piece.is_err() {
            end = "broken";
        }
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    ended.lock().unwrap().push(end.to_owned());
    HttpResponse::Created().finish()
}

async fn large() -> HttpResponse {
    HttpResponse::Ok().body(Bytes::from(vec![7; 64 << 20]))
}

fn serve(settings: Settings) -> (RunningListener, SocketAddr) {
    serve_noting(settings, &Arc::default())
}

fn serve_noting(settings: Settings, ended: &Arc<Mutex<Vec<String>>>) -> (RunningListener, SocketAddr) {
    let ended = Data::from(Arc::clone(ended));
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    let running = start("test", socket, settings, move || {
        App::new()
            .app_data(ended.clone())
            .route("/store", to(store))
            .route("/refuse", to(refuse))
            .route("/silent", to(refuse_without_words))
            .route("/read", to(read))
            .route("/slow", to(read_slowly))
            .route("/large", get().to(large))
            .default_service(to(HttpResponse::Ok))
    });
    (running.unwrap(), address)
}

struct Client(TcpStream);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(LONG, self.0.write_all(bytes.as_ref()))
            .await
            .unwrap()
            .unwrap();
    }

    /// The next answer: its head, and its body of a known length.
    async fn answer(&mut self) -> (String, String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(LONG, self.0.read_u8()).await.expect("silence");
            head.push(
                byte.unwrap_or_else(|error| panic!("{error} after {}", String::from_utf8_lossy(&head))),
            );
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        timeout(LONG, self.0.read_exact(&mut body))
            .await
            .unwrap()
            .unwrap();
        (head, String::from_utf8_lossy(&body).into_owned())
    }

    /// Waits until the server hangs up.
    async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        // How it hangs up is another matter.
        let _ = timeout(LONG, self.0.read_to_end(&mut rest))
            .await
            .expect("the server holds on");
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

fn chunk(length: usize) -> Vec<u8> {
    let mut chunk = format!("{length:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + length, b'x');
    chunk.extend_from_slice(b"\r\n");
    chunk
}

const CHUNKED: &str = " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[actix_web::test]
async fn given_a_large_body_that_nobody_reads_when_answered_then_the_connection_ends_and_says_so() {
    let (_running, address) = serve(settings());
    for (path, status) in [("/refuse", "401"), ("/silent", "403"), ("/nowhere", "200")] {
        let mut client = Client::connect(address).await;
        client.send(format!("PATCH {path}{CHUNKED}")).await;
        for _ in 0..16 {
            client.send(chunk(65_536)).await;
        }
        client.send("0\r\n\r\nGET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n").await;

        let (head, _) = client.answer().await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
        assert!(head.contains("connection: close"), "{path}: {head}");
        client.expect_end().await;
    }
}

#[actix_web::test]
async fn given_a_small_body_that_nobody_reads_when_answered_then_the_connection_goes_on() {
    let (_running, address) = serve(settings());
    let mut client = Client::connect(address).await;
    for path in ["/refuse", "/silent", "/nowhere"] {
        client.send(format!("PATCH {path}{CHUNKED}")).await;
        client.send(chunk(1_000)).await;
        client.send("0\r\n\r\n").await;
        let (head, _) = client.answer().await;
        assert!(!head.contains("connection: close"), "{path}: {head}");
    }
    client
        .send("PUT /silent HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    assert!(client.answer().await.0.starts_with("http/1.1 403"));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.answer().await.0.starts_with("http/1.1 200"));
}

#[actix_web::test]
async fn given_a_connection_without_progress_when_its_time_is_over_then_it_ends_in_every_state() {
    let stall = Duration::from_millis(200);
    let (_running, address) = serve(Settings {
        stall,
        keep_alive: stall,
        head: stall,
        ..settings()
    });
    let states: [&[u8]; 5] = [
        b"",
        b"GET / HT",
        b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PATCH /refuse HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT",
    ];
    for sent in states {
        let mut client = Client::connect(address).await;
        client.send(sent).await;
        tokio::time::sleep(stall).await;
        // Reading is progress: the large answer must have been cut before, without that, also on a busy machine.
        let mut received = Vec::new();
        let patience = if sent.starts_with(b"GET /large") { 20 } else { 4 };
        tokio::time::sleep(stall * patience).await;
        let _ = timeout(LONG, client.0.read_to_end(&mut received))
            .await
            .expect("the server holds on");
        assert!(received.len() < 64 << 20, "{}", String::from_utf8_lossy(sent));
    }
}

#[actix_web::test]
async fn given_all_places_taken_by_clients_that_ask_for_nothing_when_another_comes_then_it_is_answered() {
    let (_running, address) = serve(Settings {
        connections: 8,
        ..settings()
    });
    let mut hanging = Vec::new();
    for number in 0..30 {
        let mut client = Client::connect(address).await;
        match number % 3 {
            0 => {}
            1 => client.send("GET / HT").await,
            _ => client.send(format!("PATCH /refuse{CHUNKED}10000\r\n")).await,
        }
        hanging.push(client);
    }
    let mut kept = Client::connect(address).await;
    for _ in 0..3 {
        kept.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let (head, _) = timeout(LONG / 2, kept.answer()).await.expect("it has to wait");
        assert!(head.starts_with("http/1.1 200"));
    }
}

#[actix_web::test]
async fn given_an_expectation_when_the_body_is_not_wanted_then_no_continue_is_sent() {
    let (_running, address) = serve(settings());
    for (path, status) in [("/refuse", "401"), ("/silent", "403")] {
        let mut client = Client::connect(address).await;
        client
            .send(format!(
                "PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            ))
            .await;
        let (head, _) = client.answer().await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        client.expect_end().await;
    }
}

#[actix_web::test]
async fn given_an_expectation_when_the_body_is_wanted_then_it_is_asked_for_and_read_once() {
    let (_running, address) = serve(settings());
    let mut client = Client::connect(address).await;
    for _ in 0..2 {
        client
            .send("PUT /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            .await;
        assert!(client.answer().await.0.starts_with("http/1.1 100"));
        client.send("hello").await;
        let (head, body) = client.answer().await;
        assert!(
            head.starts_with("http/1.1 200") && !head.contains("connection: close"),
            "{head}"
        );
        assert_eq!(body, "5");
    }
}

#[actix_web::test]
async fn given_an_offer_to_upgrade_when_answered_then_it_is_declined_and_the_framing_kept() {
    let (_running, address) = serve(settings());
    let offers = [
        "Connection: upgrade\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\n",
        "Upgrade: websocket\r\n",
    ];
    for offer in offers {
        for (framing, body) in [
            ("Content-Length: 5\r\n", "hello"),
            ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ] {
            let mut client = Client::connect(address).await;
            client
                .send(format!(
                    "PUT /read HTTP/1.1\r\nHost: a\r\n{offer}{framing}\r\n{body}"
                ))
                .await;
            let (head, body) = client.answer().await;
            assert!(head.starts_with("http/1.1 200"), "{offer}{head}");
            assert!(!head.contains("upgrade"), "{offer}{head}");
            assert_eq!(body, "5", "{offer}{framing}");
        }
        let mut client = Client::connect(address).await;
        client
            .send(format!("GET / HTTP/1.1\r\nHost: a\r\n{offer}\r\n"))
            .await;
        let (head, _) = client.answer().await;
        assert!(
            head.starts_with("http/1.1 200") && !head.contains("upgrade"),
            "{offer}{head}"
        );
    }
}

#[actix_web::test]
async fn given_what_is_no_request_when_sent_then_400_and_the_end() {
    let (_running, address) = serve(settings());
    for request in [
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n".to_owned(),
        format!("PUT /read{CHUNKED}zz\r\nhello"),
        format!("PUT /refuse{CHUNKED}5\r\nhello\r\nzz\r\n{}", "x".repeat(300_000)),
    ] {
        let mut client = Client::connect(address).await;
        client.send(&request).await;
        let (head, _) = client.answer().await;
        assert!(head.starts_with("http/1.1 400"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        client.expect_end().await;
    }
}

#[actix_web::test]
async fn given_a_slow_sender_when_refused_then_it_may_send_on_and_read_why() {
    let (_running, address) = serve(settings());
    let mut client = Client::connect(address).await;
    client
        .send("PATCH /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
        .await;
    for _ in 0..20 {
        client.send(vec![7; 50_000]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(client.answer().await.0.starts_with("http/1.1 401"));
    client.expect_end().await;
}

#[actix_web::test]
async fn given_a_body_under_way_when_the_server_stops_and_the_grace_is_over_then_its_handler_learns_so() {
    let (running, address) = serve(Settings {
        grace: Duration::from_millis(300),
        ..settings()
    });
    let mut idle = Client::connect(address).await;
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    idle.answer().await;
    let mut client = Client::connect(address).await;
    client
        .send("PUT /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        .await;
    // Nothing tells that the handler has begun to read; on a busy machine that may take a while.
    tokio::time::sleep(Duration::from_secs(1)).await;

    running.stop().await;

    idle.expect_end().await;
    let (head, body) = client.answer().await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    assert!(body.contains("the server is stopping"), "{body}");
}

#[actix_web::test]
async fn given_a_client_that_resets_the_connection_when_a_request_is_under_way_then_its_handler_runs_to_its_end()
 {
    let ended = Arc::<Mutex<Vec<String>>>::default();
    let (_running, address) = serve_noting(settings(), &ended);
    let requests = [
        ("Content-Length: 10\r\n\r\nhello", "broken"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "broken"),
        ("Content-Length: 10\r\nExpect: 100-continue\r\n\r\n", "broken"),
        ("Content-Length: 5\r\n\r\nhello", "whole"),
        ("Content-Length: 0\r\n\r\n", "whole"),
    ];
    for pause in [0, 20] {
        for (request, end) in requests {
            let mut client = Client::connect(address).await;
            client
                .send(format!("POST /store HTTP/1.1\r\nHost: a\r\n{request}"))
                .await;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            SockRef::from(&client.0).set_linger(Some(Duration::ZERO)).unwrap();
            drop(client);
            // A reset may overtake the request: then there was none.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let ended = std::mem::take(&mut *ended.lock().unwrap());
            assert!(
                ended == [end] || (pause == 0 && ended != ["whole"]),
                "{request}: {ended:?}"
            );
        }
    }
}

#[actix_web::test]
async fn given_a_client_that_half_closes_behind_its_body_when_the_handler_is_slower_then_all_of_it_is_read() {
    let (_running, address) = serve(settings());
    for length in [0, 10, 40_000, 150_000, 300_000, 1 << 20] {
        for is_chunked in [false, true] {
            // Given
            let mut client = Client::connect(address).await;
            let framing = if is_chunked {
                "Transfer-Encoding: chunked".to_owned()
            } else {
                format!("Content-Length: {length}")
            };
            let mut request = format!("PUT /slow HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n").into_bytes();
            if is_chunked {
                if length > 0 {
                    request.extend(chunk(length));
                }
                request.extend_from_slice(b"0\r\n\r\n");
            } else {
                request.resize(request.len() + length, b'x');
            }

            // When
            client.send(request).await;
            client.0.shutdown().await.unwrap();

            // Then
            let (head, body) = client.answer().await;
            assert_eq!(body, length.to_string(), "chunked: {is_chunked}, {head}");
            client.expect_end().await;
        }
    }
}

#[actix_web::test]
async fn given_a_client_that_half_closes_in_the_middle_of_its_body_when_read_then_it_is_told_at_once() {
    let (_running, address) = serve(settings());
    for (path, length) in [("/read", 10), ("/slow", 10), ("/slow", 300_000), ("/refuse", 10)] {
        let mut client = Client::connect(address).await;
        let mut request =
            format!("PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n").into_bytes();
        request.resize(request.len() + length, b'x');
        client.send(request).await;
        client.0.shutdown().await.unwrap();

        let (head, _) = timeout(LONG / 3, client.answer()).await.unwrap();
        assert!(head.starts_with("http/1.1 40"), "{path}: {head}");
        client.expect_end().await;
    }
}

#[actix_web::test]
async fn given_an_answer_under_way_when_the_server_stops_then_it_ends_with_the_answer_and_not_with_the_grace()
{
    let (running, address) = serve(settings());
    let mut client = Client::connect(address).await;
    client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut first = [0; 1000];
    client.0.read_exact(&mut first).await.unwrap();

    let stopping = timeout(LONG / 2, running.stop());
    let reading = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut received = Vec::new();
        client.0.read_to_end(&mut received).await.unwrap();
        received.len()
    };
    let (stopped, received) = tokio::join!(stopping, reading);

    assert!(received > (64 << 20) - 1000, "{received}");
    assert!(stopped.is_ok(), "it waits for a client that asks for nothing");
}
