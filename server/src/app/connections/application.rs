//! The services that a protocol calls: for `Expect: 100-continue`, and for every request.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::{BoxBody, MessageBody};
use actix_http::{HttpMessage, Request, Response};
use actix_service::Service;
use futures_core::future::LocalBoxFuture;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::exchange::{Answer, Outgoing, exchange, failure};
use super::incoming::Invitation;

/// The application of one worker, behind what is the same for all requests.
pub(super) struct Application<S, B> {
    service: Rc<S>,
    /// Fires when bodies that still come in are no longer waited for.
    cut: CancellationToken,
    answers: PhantomData<B>,
}

impl<S, B> Application<S, B> {
    pub(super) fn new(service: Rc<S>, cut: CancellationToken) -> Self {
        Self {
            service,
            cut,
            answers: PhantomData,
        }
    }
}

impl<S, B> Clone for Application<S, B> {
    fn clone(&self) -> Self {
        Self::new(Rc::clone(&self.service), self.cut.clone())
    }
}

impl<S, B> fmt::Debug for Application<S, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Application").finish_non_exhaustive()
    }
}

impl<S, B> Application<S, B>
where
    S: Service<Request> + 'static,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    pub(super) fn answer(
        &self,
        request: Request,
        connection: Rc<Connection>,
        invitation: Option<Rc<Invitation>>,
    ) -> LocalBoxFuture<'static, Answer<B>> {
        let (service, cut) = (Rc::clone(&self.service), self.cut.clone());
        Box::pin(exchange(service, request, connection, invitation, cut))
    }
}

/// What an HTTP/1.1 connection does with a request. One that has begun already, to find out whether its body is wanted,
/// goes on.
impl<S, B> Service<Request> for Application<S, B>
where
    S: Service<Request> + 'static,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    type Response = Response<Outgoing<B>>;
    type Error = Response<BoxBody>;
    type Future = LocalBoxFuture<'static, Answer<B>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context).map_err(failure)
    }

    fn call(&self, request: Request) -> Self::Future {
        let begun = request.extensions_mut().remove::<Begun<B>>();
        match (begun, request.conn_data::<Rc<Connection>>().cloned()) {
            (Some(begun), _) => {
                begun.invitation.send();
                begun.answer
            }
            (None, Some(connection)) => self.answer(request, connection, None),
            (None, None) => Box::pin(async { Err(Response::internal_server_error().map_into_boxed_body()) }),
        }
    }
}

/// A request that waits for its body.
struct Begun<B> {
    answer: LocalBoxFuture<'static, Answer<B>>,
    invitation: Rc<Invitation>,
}

/// What an HTTP/1.1 connection does with a request that has `Expect: 100-continue`: it begins to answer. When the answer
/// needs the body the client is invited to send it; when the answer comes without, the client never is.
#[derive(Debug)]
pub(super) struct Expectations<S, B>(pub(super) Application<S, B>);

impl<S, B> Service<Request> for Expectations<S, B>
where
    S: Service<Request> + 'static,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    type Response = Request;
    type Error = Response<BoxBody>;
    type Future = LocalBoxFuture<'static, Result<Request, Response<BoxBody>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&self, request: Request) -> Self::Future {
        let Some(connection) = request.conn_data::<Rc<Connection>>().cloned() else {
            return Box::pin(async { Ok(request) });
        };
        let invitation = Rc::<Invitation>::default();
        let mut answer = self.0.answer(request, connection, Some(Rc::clone(&invitation)));
        Box::pin(async move {
            let early = poll_fn(|context| match answer.as_mut().poll(context) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending if invitation.is_wanted(context) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            match early.await {
                Some(Ok(response)) => Err(response.map_into_boxed_body()),
                Some(Err(response)) => Err(response),
                None => {
                    let carrier = Request::new();
                    carrier.extensions_mut().insert(Begun { answer, invitation });
                    Ok(carrier)
                }
            }
        })
    }
}
