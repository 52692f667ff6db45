//! The body of a request, shared by the handler that reads it and by what sees to its rest.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_http::error::PayloadError;
use actix_http::{BoxedPayloadStream, Payload};
use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::connection::{Connection, LINGER, LINGER_SILENCE};
use crate::api::CutOff;

/// What is left of a body is read to its end up to this size: a new connection would cost more.
const DRAINED: u64 = 64 * 1024;

/// How long the rest of such a body may take. The answer waits meanwhile.
const DRAIN_PATIENCE: Duration = Duration::from_millis(250);

/// The body of one request.
pub(super) struct Incoming {
    payload: RefCell<Payload>,
    /// Bytes still to come, when the request says so.
    left: Cell<Option<u64>>,
    is_at_end: Cell<bool>,
    has_failed: Cell<bool>,
    /// Whether the end of the body is not the end of what the protocol takes for it.
    is_framing_lost: bool,
    invitation: Option<Rc<Invitation>>,
    /// Of HTTP/1.1: keeps account of this body.
    connection: Option<Rc<Connection>>,
    cut: CancellationToken,
    cutting: RefCell<Option<Pin<Box<WaitForCancellationFutureOwned>>>>,
}

impl Incoming {
    pub(super) fn new(payload: Payload, length: Option<u64>, cut: CancellationToken) -> Self {
        Self {
            payload: RefCell::new(payload),
            left: Cell::new(length),
            is_at_end: Cell::new(false),
            has_failed: Cell::new(false),
            is_framing_lost: false,
            invitation: None,
            connection: None,
            cut,
            cutting: RefCell::new(None),
        }
    }

    /// The same body, sent only when the server has invited it.
    pub(super) fn after(mut self, invitation: Option<Rc<Invitation>>) -> Self {
        self.invitation = invitation;
        self
    }

    /// The same body on a connection that has one body at a time.
    pub(super) fn on(mut self, connection: &Rc<Connection>) -> Self {
        connection.body.begin();
        self.connection = Some(Rc::clone(connection));
        self
    }

    /// The same body of a request after which the protocol takes everything for its body.
    pub(super) fn with_framing_lost(mut self) -> Self {
        self.is_framing_lost = true;
        self.is_at_end.set(self.left.get().unwrap_or(0) == 0);
        self
    }

    /// What the handler reads.
    pub(super) fn reader(self: &Rc<Self>) -> Payload {
        let reader: BoxedPayloadStream = Box::pin(Reader(Rc::clone(self)));
        Payload::Stream { payload: reader }
    }

    /// Reads what is left if that is little. `false`: the client may still be sending.
    pub(super) async fn drain(self: &Rc<Self>) -> bool {
        let is_uninvited = self
            .invitation
            .as_ref()
            .is_some_and(|invitation| !invitation.is_sent());
        if self.is_framing_lost || self.has_failed.get() || is_uninvited {
            return false;
        }
        if self.is_at_end.get() {
            return true;
        }
        if self.left.get().is_some_and(|left| left > DRAINED) {
            return false;
        }
        timeout(DRAIN_PATIENCE, self.read_rest()).await.unwrap_or(false)
    }

    /// Lets a client that has its answer send on for a while, so that it comes to read it.
    pub(super) async fn discard(self: &Rc<Self>) {
        let end = Instant::now() + LINGER;
        let mut reader = Reader(Rc::clone(self));
        loop {
            let until = end.min(Instant::now() + LINGER_SILENCE);
            match timeout_at(until, reader.next()).await {
                Ok(Some(Ok(_))) => {}
                _ => return,
            }
        }
    }

    async fn read_rest(self: &Rc<Self>) -> bool {
        let (mut reader, mut read) = (Reader(Rc::clone(self)), 0);
        while let Some(piece) = reader.next().await {
            let Ok(piece) = piece else { return false };
            read += piece.len() as u64;
            if read > DRAINED {
                return false;
            }
        }
        true
    }

    fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if self.is_at_end.get() {
            return Poll::Ready(None);
        }
        if self
            .invitation
            .as_ref()
            .is_some_and(|invitation| invitation.poll(context).is_pending())
        {
            return Poll::Pending;
        }
        let polled = Pin::new(&mut *self.payload.borrow_mut()).poll_next(context);
        self.tell(&polled);
        match polled {
            Poll::Ready(Some(Ok(bytes))) => Poll::Ready(Some(Ok(self.account(bytes)))),
            Poll::Ready(Some(Err(error))) => {
                self.has_failed.set(true);
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => {
                self.is_at_end.set(true);
                Poll::Ready(None)
            }
            Poll::Pending if self.poll_cut(context).is_ready() => {
                self.has_failed.set(true);
                Poll::Ready(Some(Err(PayloadError::Io(io::Error::other(CutOff)))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Tells the connection how far its body is.
    fn tell<T, E>(&self, polled: &Poll<Option<Result<T, E>>>) {
        let Some(connection) = &self.connection else {
            return;
        };
        let is_waited_for = match polled {
            Poll::Ready(Some(Ok(_))) => {
                connection.body.delivered();
                false
            }
            Poll::Ready(_) => connection.body.end(),
            Poll::Pending => connection.body.await_more(),
        };
        if is_waited_for {
            connection.wake();
        }
    }

    fn account(&self, mut bytes: Bytes) -> Bytes {
        let Some(left) = self.left.get() else { return bytes };
        let rest = left.saturating_sub(bytes.len() as u64);
        if self.is_framing_lost {
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            self.is_at_end.set(rest == 0);
        }
        self.left.set(Some(rest));
        bytes
    }

    fn poll_cut(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut cutting = self.cutting.borrow_mut();
        let cutting = cutting.get_or_insert_with(|| Box::pin(self.cut.clone().cancelled_owned()));
        cutting.as_mut().poll(context)
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Incoming")
            .field("left", &self.left)
            .field("is_at_end", &self.is_at_end)
            .finish_non_exhaustive()
    }
}

struct Reader(Rc<Incoming>);

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next(context)
    }
}

/// `100 Continue`: sent when somebody begins to read the body, and not before.
#[derive(Debug, Default)]
pub(super) struct Invitation {
    state: Cell<InvitationState>,
    /// Who waits for the body, and who sends the invitation.
    reader: RefCell<Option<Waker>>,
    sender: RefCell<Option<Waker>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InvitationState {
    #[default]
    Withheld,
    Wanted,
    Sent,
}

impl Invitation {
    /// Whether somebody wants the body.
    pub(super) fn is_wanted(&self, context: &Context<'_>) -> bool {
        self.sender.replace(Some(context.waker().clone()));
        self.state.get() == InvitationState::Wanted
    }

    fn is_sent(&self) -> bool {
        self.state.get() == InvitationState::Sent
    }

    /// The invitation is on its way: now the body may be waited for.
    pub(super) fn send(&self) {
        self.state.set(InvitationState::Sent);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if self.is_sent() {
            return Poll::Ready(());
        }
        self.state.set(InvitationState::Wanted);
        self.reader.replace(Some(context.waker().clone()));
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
        Poll::Pending
    }
}
