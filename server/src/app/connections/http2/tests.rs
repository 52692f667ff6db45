//! A client that speaks HTTP/2 without any manners, against connections in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::body::{BodySize, MessageBody};
use actix_http::{Request, ServiceConfig};
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_web::dev::AppConfig;
use actix_web::web::{Data, Payload, get, to};
use actix_web::{App, HttpResponse};
use bytes::Bytes;
use futures_util::StreamExt;
use h2::client::{Builder, SendRequest};
use h2::{Reason, RecvStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Limits, MAX_STREAMS, serve};
use crate::app::connections::application::Application;
use crate::app::connections::connection::{Connection, Fate, Supervised};
use crate::app::connections::transport::Transport;
use crate::services::capacity::Shares;

/// Longer than anything takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// Long enough for what must not happen to happen.
const WHILE: Duration = Duration::from_millis(300);

const PIECE: usize = 1 << 20;
const PIECES: usize = 8;

/// What the server holds for its clients.
#[derive(Debug, Default)]
struct Held {
    handlers: AtomicUsize,
    bodies: AtomicUsize,
    pieces_read: AtomicUsize,
    is_over: AtomicBool,
}

/// An answer of eight pieces of 1 MiB.
struct Large {
    held: Arc<Held>,
    left: usize,
}

impl MessageBody for Large {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized((PIECE * PIECES) as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.held.pieces_read.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Bytes::from(vec![7; PIECE]))))
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.held.bodies.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn large(held: Data<Held>) -> HttpResponse {
    held.bodies.fetch_add(1, Ordering::SeqCst);
    HttpResponse::Ok().body(Large {
        held: held.into_inner(),
        left: PIECES,
    })
}

/// Keeps a body without reading it.
async fn keep(unread: Payload, held: Data<Held>) -> HttpResponse {
    while !held.is_over.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(5)).await;
    }
    drop(unread);
    HttpResponse::Ok().finish()
}

/// Goes on for ever.
async fn work(held: Data<Held>) -> HttpResponse {
    held.handlers.fetch_add(1, Ordering::SeqCst);
    std::future::pending().await
}

async fn slow() -> HttpResponse {
    sleep(WHILE).await;
    HttpResponse::Ok().insert_header(("keep-alive", "1")).body("done")
}

async fn refuse(payload: Payload) -> HttpResponse {
    drop(payload);
    HttpResponse::Unauthorized().body("no")
}

/// Counts the bytes of the body.
async fn read(mut payload: Payload) -> HttpResponse {
    let mut length = 0;
    while let Some(Ok(piece)) = payload.next().await {
        length += piece.len();
    }
    HttpResponse::Ok().body(length.to_string())
}

fn limits() -> Limits {
    Limits {
        head: LONG,
        keep_alive: LONG,
        stall: LONG,
    }
}

struct Server {
    address: SocketAddr,
    held: Arc<Held>,
    windows: Arc<Shares>,
    connections: Rc<std::cell::RefCell<Vec<Rc<Connection>>>>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::start_with(limits, 64 << 20).await
    }

    /// A server that has so much memory for wide windows.
    async fn start_with(limits: Limits, windows: usize) -> Self {
        let windows = Arc::new(Shares::new(windows));
        let memory = Arc::clone(&windows);
        let held = Arc::<Held>::default();
        let application = App::new()
            .app_data(Data::from(Arc::clone(&held)))
            .route("/large", to(large))
            .route("/work", get().to(work))
            .route("/slow", get().to(slow))
            .route("/keep", to(keep))
            .route("/refuse", to(refuse))
            .route("/read", to(read))
            .default_service(to(HttpResponse::NoContent));
        let factory = IntoServiceFactory::<_, Request>::into_factory(application);
        let service = factory.new_service(AppConfig::default()).await.unwrap();
        let application = Application::new(Rc::new(service), CancellationToken::new());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Rc::<std::cell::RefCell<Vec<Rc<Connection>>>>::default();
        let accepted = Rc::clone(&connections);
        tokio::task::spawn_local(async move {
            let dates = ServiceConfig::default();
            while let Ok((socket, peer)) = listener.accept().await {
                let connection = Rc::new(Connection::new(Transport::Plain(socket)));
                accepted.borrow_mut().push(Rc::clone(&connection));
                let serving = serve(
                    Rc::clone(&connection),
                    Some(peer),
                    application.clone(),
                    limits,
                    Arc::clone(&memory),
                    dates.clone(),
                );
                let serving = Supervised::new(Rc::clone(&connection), false, serving);
                tokio::task::spawn_local(async move {
                    let ending = serving.await;
                    connection.close(ending).await;
                });
            }
        });
        Self {
            address,
            held,
            windows,
            connections,
        }
    }

    async fn client(&self, builder: &Builder) -> Client {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let (requests, connection) = builder.handshake::<_, Bytes>(socket).await.unwrap();
        let ended = tokio::task::spawn_local(async move {
            // How it ends is another matter.
            let _ = connection.await;
        });
        Client { requests, ended }
    }
}

struct Client {
    requests: SendRequest<Bytes>,
    ended: tokio::task::JoinHandle<()>,
}

fn request(method: &str, path: &str) -> http::Request<()> {
    http::Request::builder()
        .method(method)
        .uri(format!("http://a{path}"))
        .body(())
        .unwrap()
}

async fn text(mut body: RecvStream) -> Result<String, h2::Error> {
    let mut all = Vec::new();
    while let Some(piece) = timeout(LONG, body.data()).await.expect("silence") {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        all.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&all).into_owned())
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, waiting).await.expect(what);
}

#[actix_web::test]
async fn given_requests_when_answered_then_with_what_http2_says_and_nothing_of_the_connection() {
    let server = Server::start(limits()).await;
    let mut client = server.client(&Builder::new()).await;

    let (answer, mut sender) = client
        .requests
        .send_request(request("PUT", "/read"), false)
        .unwrap();
    for _ in 0..64 {
        sender.send_data(Bytes::from(vec![7; 100_000]), false).unwrap();
    }
    sender.send_data(Bytes::new(), true).unwrap();
    let answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert_eq!(answer.headers()["content-length"], "7");
    assert!(answer.headers()["date"].to_str().unwrap().ends_with(" GMT"));
    assert_eq!(text(answer.into_body()).await.unwrap(), "6400000");

    let (answer, _) = client
        .requests
        .send_request(request("HEAD", "/large"), true)
        .unwrap();
    let answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert_eq!(answer.headers()["content-length"], (PIECE * PIECES).to_string());
    assert_eq!(text(answer.into_body()).await.unwrap(), "");

    let (answer, _) = client
        .requests
        .send_request(request("GET", "/large"), true)
        .unwrap();
    let answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert_eq!(text(answer.into_body()).await.unwrap().len(), PIECE * PIECES);

    let (answer, _) = client
        .requests
        .send_request(request("DELETE", "/x"), true)
        .unwrap();
    let answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert_eq!(answer.status().as_u16(), 204);
    assert!(!answer.headers().contains_key("content-length"));

    let (answer, _) = client
        .requests
        .send_request(request("GET", "/slow"), true)
        .unwrap();
    let answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert!(!answer.headers().contains_key("keep-alive"));
    until("nothing is held", || {
        server.held.bodies.load(Ordering::SeqCst) == 0
    })
    .await;
}

#[actix_web::test]
async fn given_a_client_that_opens_and_gives_up_streams_when_its_handlers_go_on_then_they_are_limited() {
    let server = Server::start(limits()).await;
    let mut client = server.client(&Builder::new()).await;
    let handlers = || server.held.handlers.load(Ordering::SeqCst);
    let mut open = Vec::new();
    for _ in 0..MAX_STREAMS {
        client.requests = timeout(LONG, client.requests.ready()).await.unwrap().unwrap();
        open.push(
            client
                .requests
                .send_request(request("GET", "/work"), true)
                .unwrap(),
        );
    }
    until("all streams are open", || handlers() == MAX_STREAMS as usize).await;
    // One more waits in the client, which knows of the limit.
    open.push(
        client
            .requests
            .send_request(request("GET", "/work"), true)
            .unwrap(),
    );
    sleep(WHILE).await;
    assert_eq!(handlers(), MAX_STREAMS as usize);

    for (_, mut sender) in open.drain(..) {
        sender.send_reset(Reason::CANCEL);
    }
    for _ in 0..10 {
        // The connection may have ended for that.
        let Ok(Ok(ready)) = timeout(WHILE, client.requests.clone().ready()).await else {
            break;
        };
        client.requests = ready;
        let Ok(stream) = client.requests.send_request(request("GET", "/work"), true) else {
            break;
        };
        open.push(stream);
    }
    sleep(WHILE).await;

    assert_eq!(handlers(), MAX_STREAMS as usize);
}

#[actix_web::test]
async fn given_a_client_without_room_when_it_asks_for_much_then_nothing_is_read_for_it_and_its_time_ends() {
    let stall = Duration::from_secs(1);
    let server = Server::start(Limits { stall, ..limits() }).await;
    let mut client = server.client(Builder::new().initial_window_size(0)).await;
    let mut answers = Vec::new();
    for _ in 0..MAX_STREAMS {
        client.requests = timeout(LONG, client.requests.ready()).await.unwrap().unwrap();
        answers.push(
            client
                .requests
                .send_request(request("GET", "/large"), true)
                .unwrap()
                .0,
        );
    }
    let bodies = || server.held.bodies.load(Ordering::SeqCst);
    until("all are answered", || bodies() == MAX_STREAMS as usize).await;

    assert_eq!(server.held.pieces_read.load(Ordering::SeqCst), 0);
    for answer in answers {
        let answer = timeout(LONG, answer).await.unwrap().unwrap();
        let error = text(answer.into_body()).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::CANCEL));
    }
    until("nothing is held", || bodies() == 0).await;
}

#[actix_web::test]
async fn given_a_client_that_stops_reading_when_pieces_are_under_way_then_one_of_each_answer_is_held() {
    let server = Server::start(limits()).await;
    let mut builder = Builder::new();
    builder
        .initial_window_size(1 << 30)
        .initial_connection_window_size(1 << 30);
    let socket = TcpStream::connect(server.address).await.unwrap();
    let (mut requests, mut connection) = builder.handshake::<_, Bytes>(socket).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..50 {
        answers.push(requests.send_request(request("GET", "/large"), true).unwrap());
    }
    // The requests are sent; from then on nobody reads the socket.
    let _ = timeout(
        WHILE,
        std::future::poll_fn(|context| {
            let polled = Pin::new(&mut connection).poll(context);
            if server.held.bodies.load(Ordering::SeqCst) == 50 {
                return Poll::Ready(());
            }
            polled.map(|_| ())
        }),
    )
    .await;
    sleep(WHILE).await;

    // What the sockets of both sides take is some megabytes.
    let read = server.held.pieces_read.load(Ordering::SeqCst);
    assert!(read < 50 + 20, "{read} MiB");
}

#[actix_web::test]
async fn given_a_refused_body_when_the_client_sends_on_then_it_reads_the_answer_before_it_is_stopped() {
    let server = Server::start(limits()).await;
    let mut client = server.client(&Builder::new()).await;
    let (answer, mut sender) = client
        .requests
        .send_request(request("PATCH", "/refuse"), false)
        .unwrap();
    sender.send_data(Bytes::from(vec![7; 3 << 20]), false).unwrap();

    let answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    assert_eq!(text(answer.into_body()).await.unwrap(), "no");
    let reset = std::future::poll_fn(|context| sender.poll_reset(context));
    assert!(timeout(WHILE, reset).await.is_err(), "stopped at once");
    until("what it sends is taken", || {
        sender.reserve_capacity(1 << 20);
        sender.capacity() > 0
    })
    .await;
    let reset = std::future::poll_fn(|context| sender.poll_reset(context));
    assert_eq!(timeout(LONG, reset).await.unwrap().unwrap(), Reason::NO_ERROR);

    // The connection goes on.
    let (answer, _) = client.requests.send_request(request("GET", "/x"), true).unwrap();
    assert_eq!(
        timeout(LONG, answer).await.unwrap().unwrap().status().as_u16(),
        204
    );
}

#[actix_web::test]
async fn given_a_server_that_drains_when_a_request_is_under_way_then_it_is_answered_and_the_connection_ends()
{
    let server = Server::start(limits()).await;
    let mut client = server.client(&Builder::new()).await;
    let (answer, _) = client
        .requests
        .send_request(request("GET", "/slow"), true)
        .unwrap();
    let idle = server.client(&Builder::new()).await;
    until("both are there", || server.connections.borrow().len() == 2).await;
    sleep(WHILE / 10).await;

    for connection in server.connections.borrow().iter() {
        connection.decide(Fate::Draining);
    }

    let answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert_eq!(text(answer.into_body()).await.unwrap(), "done");
    timeout(LONG, idle.ended)
        .await
        .expect("the idle connection stays")
        .unwrap();
    timeout(LONG, client.ended)
        .await
        .expect("the connection stays")
        .unwrap();
}

#[actix_web::test]
async fn given_an_idle_connection_when_its_time_is_over_then_it_ends() {
    let keep_alive = Duration::from_millis(100);
    let server = Server::start(Limits {
        keep_alive,
        ..limits()
    })
    .await;
    let mut client = server.client(&Builder::new()).await;
    let (answer, _) = client
        .requests
        .send_request(request("GET", "/slow"), true)
        .unwrap();
    let answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert_eq!(text(answer.into_body()).await.unwrap(), "done");
    timeout(LONG, client.ended)
        .await
        .expect("the connection stays")
        .unwrap();
}

/// Sends bodies that nobody reads until the server takes no more of them: how many bytes those were. The bodies end with
/// the connection.
async fn send_unread(client: &mut Client, bodies: usize) -> (usize, Vec<h2::SendStream<Bytes>>) {
    let mut senders = Vec::new();
    for _ in 0..bodies {
        let (_, mut sender) = client
            .requests
            .send_request(request("PUT", "/keep"), false)
            .unwrap();
        sender.reserve_capacity(4 << 20);
        senders.push(sender);
    }
    let (mut sent, mut silent_since) = (0, tokio::time::Instant::now());
    while silent_since.elapsed() < WHILE {
        for sender in &mut senders {
            let room = sender.capacity();
            if room > 0 {
                sender.send_data(Bytes::from(vec![7; room]), false).unwrap();
                sent += room;
                silent_since = tokio::time::Instant::now();
            }
        }
        sleep(Duration::from_millis(5)).await;
    }
    (sent, senders)
}

#[actix_web::test]
async fn given_connections_whose_bodies_nobody_reads_when_memory_is_short_then_what_they_send_is_counted_or_little()
 {
    // Given
    let server = Server::start_with(limits(), 5 << 20).await;
    let (mut clients, mut bodies, mut sent) = (Vec::new(), Vec::new(), Vec::new());

    // When
    for _ in 0..5 {
        let mut client = server.client(&Builder::new()).await;
        let (bytes, open) = send_unread(&mut client, 4).await;
        clients.push(client);
        bodies.push(open);
        sent.push(bytes);
    }

    // Then
    assert!(sent[0] >= 2 << 20, "{sent:?}");
    let all: usize = sent.iter().sum();
    let uncounted = clients.len() * 65_535;
    let counted = server.windows.held();
    assert!(counted <= 5 << 20, "{counted} of {sent:?}");
    assert!(all <= counted + uncounted, "{sent:?} are not {counted}");
    for client in clients {
        client.ended.abort();
    }
    server.held.is_over.store(true, Ordering::SeqCst);
    until("nothing is held", || server.windows.held() == 0).await;
}
