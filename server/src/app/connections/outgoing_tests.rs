//! Answers that their client does not read, over sockets whose buffers are small.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, Data, get};
use actix_web::{App, HttpResponse};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::{RunningListener, Settings, start};
use crate::services::capacity::Shares;

/// Longer than anything takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// Long enough for what must not happen to happen.
const WHILE: Duration = Duration::from_millis(500);

const PIECE: usize = 16 * 1024;
const PIECES: usize = 64;

/// Less than the connection keeps of an answer before it sends.
const SHORT: usize = 192 * 1024;

/// What the server holds for its clients.
#[derive(Debug, Default)]
struct Held {
    bodies: AtomicUsize,
    pieces: AtomicUsize,
}

/// Pieces each of which lets the connection send before it asks for the next.
struct Answer {
    held: Arc<Held>,
    piece: usize,
    left: usize,
    has_handed_on: bool,
}

impl MessageBody for Answer {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized((self.piece * self.left) as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut self.has_handed_on) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.has_handed_on = true;
        self.left -= 1;
        self.held.pieces.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Bytes::from(vec![7; self.piece]))))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.held.bodies.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(held: &Data<Held>, piece: usize, left: usize) -> HttpResponse {
    held.bodies.fetch_add(1, Ordering::SeqCst);
    HttpResponse::Ok().body(Answer {
        held: Arc::clone(held),
        piece,
        left,
        has_handed_on: false,
    })
}

async fn pieces(held: Data<Held>) -> HttpResponse {
    answer(&held, PIECE, PIECES)
}

async fn one(held: Data<Held>) -> HttpResponse {
    answer(&held, SHORT, 1)
}

/// A server whose sockets take a few pieces.
fn serve(held: &Arc<Held>) -> (RunningListener, SocketAddr) {
    let held = Data::from(Arc::clone(held));
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    SockRef::from(&socket).set_send_buffer_size(PIECE).unwrap();
    let address = socket.local_addr().unwrap();
    let settings = Settings {
        workers: 1,
        blocking_threads: 1,
        connections: 100,
        keep_alive: LONG,
        head: LONG,
        stall: LONG,
        grace: LONG,
        windows: Arc::new(Shares::new(0)),
        tls: None,
    };
    let running = start("test", socket, settings, move || {
        App::new()
            .app_data(held.clone())
            .route("/pieces", get().to(pieces))
            .route("/one", get().to(one))
    });
    (running.unwrap(), address)
}

async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(PIECE as u32).unwrap();
    let mut client = socket.connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

/// Reads the head of an answer and its body to the end.
async fn read(client: &mut TcpStream, length: usize) -> usize {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(LONG, client.read_u8()).await.unwrap().unwrap());
    }
    let mut body = vec![0; length];
    timeout(LONG, client.read_exact(&mut body))
        .await
        .unwrap()
        .unwrap()
}

#[actix_web::test]
async fn given_pieces_that_wait_for_each_other_when_the_client_does_not_read_then_one_waits_and_no_more() {
    let held = Arc::<Held>::default();
    let (_running, address) = serve(&held);
    let mut client = ask(address, "/pieces").await;
    sleep(WHILE).await;

    // Some are in the sockets.
    let handed_on = held.pieces.load(Ordering::SeqCst);
    assert!((1..=12).contains(&handed_on), "{handed_on} pieces were read");
    assert_eq!(read(&mut client, PIECE * PIECES).await, PIECE * PIECES);
    assert_eq!(held.pieces.load(Ordering::SeqCst), PIECES);
}

#[actix_web::test]
async fn given_an_answer_in_the_buffers_when_its_client_does_not_read_then_what_it_holds_is_held_until_it_does()
 {
    let held = Arc::<Held>::default();
    let (_running, address) = serve(&held);
    for _ in 0..2 {
        let mut client = ask(address, "/one").await;
        sleep(WHILE).await;
        assert_eq!(held.bodies.load(Ordering::SeqCst), 1);
        assert_eq!(read(&mut client, SHORT).await, SHORT);
        // The connection goes on.
        client
            .write_all(b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(read(&mut client, SHORT).await, SHORT);
        timeout(LONG, async {
            while held.bodies.load(Ordering::SeqCst) > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("it is held for ever");
    }
}
