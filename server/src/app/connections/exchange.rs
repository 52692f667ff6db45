//! One request and its answer, on any route: what is the same about framing, bodies and the end of a connection.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use actix_http::{ConnectionType, HttpMessage, Payload, Request, Response, StatusCode, Version};
use actix_service::Service;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Counted, Fate};
use super::host::is_valid_host;
use super::incoming::{Incoming, Invitation};

/// An answer, or a failure that is one.
pub(super) type Answer<B> = Result<Response<Outgoing<B>>, Response<BoxBody>>;

/// Answers a request. An answer that is given before the end of the request's body is followed by the end of the
/// connection, unless what is left is little and comes at once.
pub(super) async fn exchange<S, B>(
    application: Rc<S>,
    mut request: Request,
    connection: Rc<Connection>,
    invitation: Option<Rc<Invitation>>,
    cut: CancellationToken,
) -> Answer<B>
where
    S: Service<Request>,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    let exchange = Counted::exchange(&connection);
    let handler = Counted::handler(&connection);
    let sent_on = (request.version() < Version::HTTP_2).then(|| Rc::clone(&connection));
    let is_upgrade = request.head().connection_type() == ConnectionType::Upgrade;
    let incoming = incoming(&mut request, &connection, invitation, cut);
    let answer = if has_valid_host(&request) {
        application.call(request).await.map(Into::into).map_err(failure)
    } else {
        Err(bad_host())
    };
    let is_read = match &incoming {
        None => true,
        Some(incoming) => incoming.drain().await,
    };
    drop(handler);
    // Of HTTP/2 there is no account.
    if connection.body.end() {
        connection.wake();
    }
    let ends = !is_read || is_upgrade || connection.fate() != Fate::Open;
    if !is_read {
        connection.leave_unread();
    }
    // While somebody holds the body, the protocol knows that it has not been read and ends the connection.
    let unread = incoming.filter(|_| !is_read);
    let leaving = Leaving {
        unread,
        sent_on,
        exchange,
    };
    match answer {
        Ok(response) => Ok(outgoing(response, ends, leaving)),
        Err(response) => Err(outgoing(response, ends, leaving).map_into_boxed_body()),
    }
}

/// A failure of the application as the answer that it is.
pub(super) fn failure(error: impl Into<actix_web::Error>) -> Response<BoxBody> {
    error.into().into()
}

fn incoming(
    request: &mut Request,
    connection: &Rc<Connection>,
    invitation: Option<Rc<Invitation>>,
    cut: CancellationToken,
) -> Option<Rc<Incoming>> {
    if matches!(request.payload(), Payload::None) {
        return None;
    }
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut incoming = Incoming::new(request.take_payload(), length, cut).after(invitation);
    if request.version() < Version::HTTP_2 {
        incoming = incoming.on(connection);
    }
    if loses_framing(request) {
        incoming = incoming.with_framing_lost();
    }
    let incoming = Rc::new(incoming);
    *request.payload() = incoming.reader();
    Some(incoming)
}

/// An offer to speak WebSocket is declined, but actix has already taken everything behind the head of such a request for
/// its body, whatever its length says.
fn loses_framing(request: &Request) -> bool {
    let headers = request.headers();
    let is_websocket = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket");
    headers.get_all(UPGRADE).any(is_websocket) && !headers.contains_key(TRANSFER_ENCODING)
}

fn has_valid_host(request: &Request) -> bool {
    request.version() != Version::HTTP_11
        || request
            .headers()
            .get(HOST)
            .is_some_and(|host| is_valid_host(host.as_bytes()))
}

fn bad_host() -> Response<BoxBody> {
    let mut response = Response::with_body(
        StatusCode::BAD_REQUEST,
        BoxBody::new("the header Host is not a host name with an optional port\n"),
    );
    // Who takes this request for another one than we do may do so with the next one, too.
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// Longer answers are kept until they have left: a client that does not read makes the server hold them.
const LONG: u64 = 64 * 1024;

/// What an answer takes along.
struct Leaving {
    unread: Option<Rc<Incoming>>,
    /// Of HTTP/1.1: whose buffers the answer goes through.
    sent_on: Option<Rc<Connection>>,
    exchange: Counted,
}

fn outgoing<B>(mut response: Response<B>, ends: bool, leaving: Leaving) -> Response<Outgoing<B>> {
    if ends {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response.map_body(|_, body| Outgoing {
        body,
        sent: 0,
        has_ended: false,
        unread: leaving.unread,
        sent_on: leaving.sent_on,
        _exchange: leaving.exchange,
    })
}

pin_project_lite::pin_project! {
    /// The body of an answer and what lives as long.
    ///
    /// On HTTP/1.1 it is asked for more when the client has read what it got, and ends when the client has read almost all
    /// of it: what a body holds for its client is held for as long as the connection holds its bytes. HTTP/2 keeps account of
    /// that by itself.
    #[derive(Debug)]
    pub(super) struct Outgoing<B> {
        #[pin]
        body: B,
        unread: Option<Rc<Incoming>>,
        sent_on: Option<Rc<Connection>>,
        sent: u64,
        has_ended: bool,
        _exchange: Counted,
    }
}

impl<B> Outgoing<B> {
    /// What the client may still be sending that nobody is going to read.
    pub(super) fn unread(&self) -> Option<Rc<Incoming>> {
        self.unread.clone()
    }
}

impl<B: MessageBody> MessageBody for Outgoing<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        let Some(connection) = this.sent_on else {
            return this.body.poll_next(context);
        };
        // It wakes up when it can send again.
        if connection.is_write_blocked() {
            return Poll::Pending;
        }
        if *this.has_ended {
            return Poll::Ready(None);
        }
        let polled = this.body.poll_next(context);
        match &polled {
            Poll::Ready(Some(Ok(piece))) => *this.sent += piece.len() as u64,
            Poll::Ready(None) if *this.sent > LONG => {
                // Lets the last bytes leave.
                *this.has_ended = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            _ => {}
        }
        polled
    }
}
