//! A connection's bytes as its protocol sees them.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::{Connection, is_gone};

/// Reads and writes a connection and keeps its account of progress.
#[derive(Debug)]
pub(super) struct ClientStream(pub(super) Rc<Connection>);

impl ClientStream {
    /// The end of what the client sends comes later. Whoever makes the protocol wait for it wakes it up, but for a reader that
    /// waits already.
    fn hold_back(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        if self.0.body.is_awaited() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// While an answer is being found, a client that is gone is noticed by reading alone, for the same reason.
    fn wrote(&self, polled: Poll<io::Result<usize>>, length: usize) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Err(error)) = &polled
            && is_gone(error)
            && self.0.is_handling()
        {
            self.0.set_ended();
            return Poll::Ready(Ok(length));
        }
        self.0.set_write_blocked(polled.is_pending());
        if let Poll::Ready(Ok(length)) = &polled {
            self.0.add_transferred(*length);
        }
        polled
    }
}

impl AsyncRead for ClientStream {
    /// A reset reads like an end, so that requests end in one way only: what is being done for the client goes on to its
    /// end, and is in the log.
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut *self.0.transport.borrow_mut()).poll_read(context, buffer);
        match polled {
            Poll::Ready(Ok(())) => {
                let length = buffer.filled().len() - before;
                if length == 0 && buffer.remaining() > 0 {
                    self.0.set_ended();
                    if !self.0.body.may_learn_of_end() {
                        return self.hold_back(context);
                    }
                }
                self.0.add_transferred(length);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) if is_gone(&error) => {
                self.0.set_ended();
                Poll::Ready(Ok(()))
            }
            polled => polled,
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut *self.0.transport.borrow_mut()).poll_write(context, bytes);
        self.wrote(polled, bytes.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut *self.0.transport.borrow_mut()).poll_write_vectored(context, slices);
        self.wrote(polled, slices.iter().map(|slice| slice.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.0.transport.borrow().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut *self.0.transport.borrow_mut()).poll_flush(context);
        self.0.set_write_blocked(polled.is_pending());
        polled
    }

    /// The connection is closed after its protocol, by [`Connection::close`].
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
