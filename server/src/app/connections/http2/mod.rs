//! HTTP/2 on one connection: how much it may make the server hold, and how it ends.
//!
//! The streams of a connection are limited, and so is what is kept of each: an answer's body is read when the client has
//! room for it, and not before. An answer that nobody reads ends, and the connection's memory with it. What a client may
//! send before somebody reads it is little, or counted.

mod stream;
#[cfg(test)]
mod tests;
mod window;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::{Request, Response, ServiceConfig};
use actix_service::Service;
use bytes::Bytes;
use h2::server::{Builder, Connection as Protocol};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::application::Application;
use super::connection::{Connection, Counted, Ending, Fate};
use super::stream::ClientStream;
use crate::services::capacity::{Client, Shares};
use window::{NARROW_BYTES, Window};

/// Streams of a connection at a time. RFC 9113 recommends no fewer than 100.
const MAX_STREAMS: u32 = 100;

/// As much of an answer is kept for a client that has room for it and does not read.
const MAX_SEND_BUFFER_BYTES: usize = 64 * 1024;

/// The headers of one request.
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// As much of a body a client may send before somebody reads it: what fits on a fast line of 20 ms. All bodies of a
/// connection together have its window, which may be smaller.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;

/// How long a client may take to acknowledge that nothing new is answered, when nothing is under way.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a connection may do without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Without the first bytes of the protocol.
    pub(super) head: Duration,
    /// Without a request.
    pub(super) keep_alive: Duration,
    /// Without a client that takes what it has asked for.
    pub(super) stall: Duration,
}

/// Serves the connection until it ends.
pub(super) async fn serve<S, B>(
    connection: Rc<Connection>,
    peer: Option<SocketAddr>,
    application: Application<S, B>,
    limits: Limits,
    memory: Arc<Shares>,
    dates: ServiceConfig,
) -> Ending
where
    S: Service<Request> + 'static,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    let handshake = builder().handshake(ClientStream(Rc::clone(&connection)));
    let protocol = match timeout(limits.head, handshake).await {
        Ok(Ok(protocol)) => protocol,
        Ok(Err(error)) => {
            tracing::debug!(%error, "HTTP/2 was not set up");
            return Ending::Complete;
        }
        Err(_) => return Ending::Cut,
    };
    let client = peer.map_or_else(Client::default, |peer| Client::of(None, peer.ip().to_canonical()));
    let mut session = Session {
        protocol,
        connection,
        window: Window::new(memory, client),
        is_leaving: false,
        was_busy: false,
        silence: Box::pin(sleep(limits.keep_alive)),
        keep_alive: limits.keep_alive,
    };
    let exchanges = stream::Exchanges {
        application,
        peer,
        stall: limits.stall,
        dates,
    };
    while let Some((request, sender)) = poll_fn(|context| session.poll_request(context)).await {
        // Counted from now on, whenever the task begins.
        let open = Counted::stream(&session.connection);
        let exchange = exchanges.answer(request, sender, Rc::clone(&session.connection));
        tokio::task::spawn_local(async move {
            exchange.await;
            open.end();
        });
    }
    // A handler whose client is gone goes on, and with it what keeps the server from stopping.
    poll_fn(|_| match session.connection.streams() {
        0 => Poll::Ready(()),
        _ => Poll::Pending,
    })
    .await;
    Ending::Complete
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MAX_STREAMS)
        // What a client still sends for streams that were reset is recognised for as many as there may be.
        .max_concurrent_reset_streams(MAX_STREAMS as usize)
        .max_send_buffer_size(MAX_SEND_BUFFER_BYTES)
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(NARROW_BYTES);
    builder
}

/// A request as the protocol brings it, and where its answer goes.
type Asked = (http::Request<h2::RecvStream>, h2::server::SendResponse<Bytes>);

struct Session {
    protocol: Protocol<ClientStream, Bytes>,
    connection: Rc<Connection>,
    window: Window,
    /// Whether the client has been told that nothing new is answered.
    is_leaving: bool,
    was_busy: bool,
    silence: Pin<Box<Sleep>>,
    keep_alive: Duration,
}

impl Session {
    /// The next request; `None` when there will be no more.
    fn poll_request(&mut self, context: &mut Context<'_>) -> Poll<Option<Asked>> {
        let is_busy = self.connection.streams() > 0;
        if self.connection.fate() == Fate::Draining {
            self.leave(is_busy);
        }
        if self.was_busy && !is_busy {
            self.silence.as_mut().reset(
                Instant::now()
                    + if self.is_leaving {
                        FAREWELL
                    } else {
                        self.keep_alive
                    },
            );
        }
        self.was_busy = is_busy;
        if !is_busy && self.silence.as_mut().poll(context).is_ready() {
            if self.is_leaving {
                return Poll::Ready(None);
            }
            self.leave(false);
            // Lets the new time run.
            context.waker().wake_by_ref();
        }
        // A stream that the client gives up counts no longer for the protocol while its handler goes on.
        if self.connection.streams() >= MAX_STREAMS as usize {
            return self.protocol.poll_closed(context).map(|_| None);
        }
        match self.protocol.poll_accept(context) {
            Poll::Ready(Some(Ok(asked))) => {
                if !asked.0.body().is_end_stream() {
                    self.make_room();
                }
                Poll::Ready(Some(asked))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "an HTTP/2 connection ended");
                Poll::Ready(None)
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    /// A body comes: lets the client send as much as there is memory for.
    fn make_room(&mut self) {
        if let Some(size) = self.window.widen() {
            self.protocol.set_target_window_size(size);
        }
    }

    /// Tells the client, once, to ask elsewhere for more. What is under way is answered.
    fn leave(&mut self, is_busy: bool) {
        if self.is_leaving {
            return;
        }
        self.is_leaving = true;
        self.protocol.graceful_shutdown();
        if !is_busy {
            self.silence.as_mut().reset(Instant::now() + FAREWELL);
        }
    }
}
