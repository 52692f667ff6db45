//! One request on a stream of its own, and its answer.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::body::{BodySize, MessageBody};
use actix_http::error::PayloadError;
use actix_http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use actix_http::{
    BoxedPayloadStream, Method, Payload, Request, Response, ResponseHead, ServiceConfig, StatusCode,
};
use actix_service::Service;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use tokio::time::timeout;

use crate::app::connections::application::Application;
use crate::app::connections::connection::Connection;

/// Room that is asked for at a time.
const STEP: usize = 32 * 1024;

/// How the requests of one connection are answered.
pub(super) struct Exchanges<S, B> {
    pub(super) application: Application<S, B>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) stall: Duration,
    pub(super) dates: ServiceConfig,
}

/// Why an answer did not reach its end.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error("{0}")]
    Protocol(#[from] h2::Error),
    #[error("the client gave up the stream")]
    GivenUp,
    #[error("the client did not read for {} seconds", .0.as_secs())]
    Stalled(Duration),
    #[error("the answer could not be read: {0}")]
    Body(Box<dyn std::error::Error>),
}

impl<S, B> Exchanges<S, B>
where
    S: Service<Request> + 'static,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    /// Answers a request. Whatever the client does meanwhile, its handler runs to its end.
    pub(super) fn answer(
        &self,
        request: http::Request<RecvStream>,
        sender: SendResponse<Bytes>,
        connection: Rc<Connection>,
    ) -> impl Future<Output = ()> + use<S, B> {
        let is_head = request.method() == Method::HEAD;
        let answer = self.application.answer(self.request(request), connection, None);
        let (stall, dates) = (self.stall, self.dates.clone());
        async move {
            let mut unread = None;
            let sent = match answer.await {
                Ok(response) => {
                    unread = response.body().unread();
                    send(response, sender, is_head, stall, &dates).await
                }
                Err(response) => send(response, sender, is_head, stall, &dates).await,
            };
            if let Err(error) = sent {
                tracing::debug!(%error, "an answer did not reach its client");
                return;
            }
            if let Some(unread) = unread {
                // Told to stop sending at once, some clients never look at the answer.
                unread.discard().await;
            }
        }
    }

    fn request(&self, request: http::Request<RecvStream>) -> Request {
        let (parts, body) = request.into_parts();
        let payload = if body.is_end_stream() {
            Payload::None
        } else {
            let payload: BoxedPayloadStream = Box::pin(Body(body));
            Payload::Stream { payload }
        };
        let mut request = Request::with_payload(payload);
        let head = request.head_mut();
        head.method = parts.method;
        head.uri = parts.uri;
        head.version = parts.version;
        head.headers = parts.headers.into();
        head.peer_addr = self.peer;
        request
    }
}

/// The body of a request. What is read makes room for more.
struct Body(RecvStream);

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(received) = ready!(self.0.poll_data(context)) else {
            return Poll::Ready(None);
        };
        let received = received.and_then(|bytes| {
            self.0.flow_control().release_capacity(bytes.len())?;
            Ok(bytes)
        });
        Poll::Ready(Some(received.map_err(PayloadError::from)))
    }
}

async fn send<B: MessageBody>(
    response: Response<B>,
    mut sender: SendResponse<Bytes>,
    is_head: bool,
    stall: Duration,
    dates: &ServiceConfig,
) -> Result<(), Unsent> {
    let (response, body) = response.into_parts();
    let size = body.size();
    let is_all = is_head || size.is_eof() || response.status() == StatusCode::NO_CONTENT;
    let mut stream = sender.send_response(head(response.head(), size, dates), is_all)?;
    if is_all {
        return Ok(());
    }
    let sent = send_body(&mut stream, body, stall).await;
    if matches!(sent, Err(Unsent::Stalled(_) | Unsent::Body(_))) {
        // Frees what is still kept for the client, who would otherwise wait for the rest.
        stream.send_reset(Reason::CANCEL);
    }
    sent
}

async fn send_body(
    stream: &mut SendStream<Bytes>,
    body: impl MessageBody,
    stall: Duration,
) -> Result<(), Unsent> {
    let mut body = pin!(body);
    let mut left = Bytes::new();
    loop {
        let room = room(stream, stall).await?;
        if left.is_empty() {
            match poll_fn(|context| body.as_mut().poll_next(context)).await {
                None => break,
                Some(Err(error)) => return Err(Unsent::Body(error.into())),
                Some(Ok(piece)) => left = piece,
            }
        }
        let piece = left.split_to(room.min(left.len()));
        stream.send_data(piece, false)?;
    }
    stream.send_data(Bytes::new(), true)?;
    Ok(())
}

/// How much the client takes now. Waits until that is something.
async fn room(stream: &mut SendStream<Bytes>, stall: Duration) -> Result<usize, Unsent> {
    stream.reserve_capacity(STEP);
    let more = poll_fn(|context| {
        loop {
            match stream.capacity() {
                0 => {}
                room => return Poll::Ready(Ok(room)),
            }
            match ready!(stream.poll_capacity(context)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(Unsent::Protocol(error))),
                None => return Poll::Ready(Err(Unsent::GivenUp)),
            }
        }
    });
    timeout(stall, more).await.unwrap_or(Err(Unsent::Stalled(stall)))
}

/// The head of an answer without what HTTP/2 says by other means (RFC 9113 section 8.2.2).
fn head(head: &ResponseHead, size: BodySize, dates: &ServiceConfig) -> http::Response<()> {
    let mut response = http::Response::new(());
    *response.status_mut() = head.status;
    let headers = response.headers_mut();
    for (name, value) in head.headers() {
        if !is_of_connection(name) && *name != CONTENT_LENGTH {
            headers.append(name, value.clone());
        }
    }
    let has_length = !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if let BodySize::Sized(length) = size
        && has_length
    {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if !headers.contains_key(DATE)
        && let Some(date) = date(dates)
    {
        headers.insert(DATE, date);
    }
    response
}

fn is_of_connection(name: &HeaderName) -> bool {
    [CONNECTION, TRANSFER_ENCODING, UPGRADE].contains(name)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// The present time as actix keeps it, a whole line of HTTP/1.1.
fn date(dates: &ServiceConfig) -> Option<HeaderValue> {
    let mut line = BytesMut::new();
    dates.write_date_header(&mut line, false);
    let value = line.strip_prefix(b"date: ")?.trim_ascii_end();
    HeaderValue::from_bytes(value).ok()
}
