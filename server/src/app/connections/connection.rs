//! One connection: its bytes, what is going on there, and how it ends.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::half_close::BodyUnderWay;
use super::transport::Transport;

/// How long a client may go on sending what nobody reads, so that it comes to read why. Closing at once would reset the
/// connection, and with that many systems throw away the answer.
pub(super) const LINGER: Duration = Duration::from_secs(60);

/// A client that sends nothing for so long meanwhile has either read its answer or gone.
pub(super) const LINGER_SILENCE: Duration = Duration::from_secs(5);

const MISFRAMED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\
    content-length: 37\r\n\r\nthe chunks of the body cannot be read";

/// Shared by the protocol, the requests and the watchdog of a connection; they all run on one thread.
pub(super) struct Connection {
    pub(super) transport: RefCell<Transport>,
    /// Bytes received and sent, for comparing.
    transferred: Cell<u64>,
    /// Requests so far, for comparing.
    requests: Cell<u64>,
    /// Requests whose answer is being found: here the client waits for the server.
    handlers: Cell<usize>,
    /// Requests whose answer has not been handed over completely.
    exchanges: Cell<usize>,
    /// Streams of HTTP/2 that somebody still works for.
    streams: Cell<usize>,
    /// Whether bytes wait until the client reads.
    is_write_blocked: Cell<bool>,
    /// Whether the client has said that nothing more comes, or has gone.
    has_ended: Cell<bool>,
    /// Whether the client may be sending something that nobody is going to read.
    has_unread: Cell<bool>,
    /// Whether the protocol has ended and only the client's last bytes are waited for.
    is_closing: Cell<bool>,
    /// The body that a client of HTTP/1.1 is sending.
    pub(super) body: BodyUnderWay,
    fate: Cell<Fate>,
    task: RefCell<Option<Waker>>,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Open,
    /// It ends with the answers under way.
    Draining,
    /// It ends at once.
    Cut,
}

impl Connection {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport: RefCell::new(transport),
            transferred: Cell::new(0),
            requests: Cell::new(0),
            handlers: Cell::new(0),
            exchanges: Cell::new(0),
            streams: Cell::new(0),
            is_write_blocked: Cell::new(false),
            has_ended: Cell::new(false),
            has_unread: Cell::new(false),
            is_closing: Cell::new(false),
            body: BodyUnderWay::default(),
            fate: Cell::new(Fate::Open),
            task: RefCell::new(None),
        }
    }

    pub(super) fn transferred(&self) -> u64 {
        self.transferred.get()
    }

    pub(super) fn add_transferred(&self, bytes: usize) {
        self.transferred
            .set(self.transferred.get().wrapping_add(bytes as u64));
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.get()
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.get()
    }

    /// Keeps in mind whether bytes wait until the client reads. An answer that waits for that goes on when they do not.
    pub(super) fn set_write_blocked(&self, is_blocked: bool) {
        if self.is_write_blocked.replace(is_blocked) && !is_blocked && self.exchanges.get() > 0 {
            self.wake();
        }
    }

    /// Whether bytes wait until the client reads.
    pub(super) fn is_write_blocked(&self) -> bool {
        self.is_write_blocked.get()
    }

    pub(super) fn set_ended(&self) {
        self.has_ended.set(true);
    }

    /// Somebody has decided not to read what the client may still send.
    pub(super) fn leave_unread(&self) {
        self.has_unread.set(true);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.get()
    }

    /// Whether the server is at work for the client, which waits.
    pub(super) fn is_handling(&self) -> bool {
        self.handlers.get() > 0
    }

    /// Whether the client waits for nothing and is sent nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.exchanges.get() == 0 && !self.is_write_blocked.get()
    }

    pub(super) fn fate(&self) -> Fate {
        self.fate.get()
    }

    /// Decides what becomes of the connection and wakes it up to learn so.
    pub(super) fn decide(&self, fate: Fate) {
        self.fate.set(fate);
        self.wake();
    }

    /// Lets the protocol see what has changed.
    pub(super) fn wake(&self) {
        if let Some(task) = self.task.borrow().as_ref() {
            task.wake_by_ref();
        }
    }

    fn remember(&self, waker: &Waker) {
        let mut task = self.task.borrow_mut();
        if !task.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }

    /// Ends the connection after its protocol has ended, in the way that lets the client read its last answer, unless it
    /// is cut meanwhile.
    pub(super) async fn close(&self, ending: Ending) {
        self.is_closing.set(true);
        let cut = poll_fn(|context| {
            self.remember(context.waker());
            match self.fate() {
                Fate::Cut => Poll::Ready(()),
                Fate::Open | Fate::Draining => Poll::Pending,
            }
        });
        tokio::select! {
            biased;
            () = self.part(ending) => {}
            () = cut => {}
        }
    }

    async fn part(&self, ending: Ending) {
        if self.has_ended.get() {
            return;
        }
        match ending {
            Ending::Cut => {
                // What the client does not read leaves the system's memory with the connection.
                let _ = SockRef::from(self.transport.borrow().socket()).set_linger(Some(Duration::ZERO));
            }
            Ending::Complete => {
                self.finish().await;
            }
            Ending::Broken => {
                self.leave_unread();
                self.finish().await;
            }
            Ending::Misframed => {
                self.leave_unread();
                self.refuse_framing().await;
                self.finish().await;
            }
        }
    }

    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "the protocol has ended: nobody else uses the transport"
    )]
    async fn refuse_framing(&self) {
        let mut transport = self.transport.borrow_mut();
        // A client that does not take so few bytes is not told.
        let _ = timeout(LINGER_SILENCE, transport.write_all(MISFRAMED)).await;
    }

    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "the protocol has ended: nobody else uses the transport"
    )]
    async fn finish(&self) {
        let mut transport = self.transport.borrow_mut();
        let farewell = timeout(LINGER_SILENCE, transport.shutdown()).await;
        if !self.has_unread.get() || !matches!(farewell, Ok(Ok(()))) {
            return;
        }
        let end = Instant::now() + LINGER;
        let mut discarded = vec![0; 16 * 1024];
        loop {
            let until = end.min(Instant::now() + LINGER_SILENCE);
            match timeout_at(until, transport.read(&mut discarded)).await {
                Ok(Ok(length)) if length > 0 => self.add_transferred(length),
                _ => return,
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("transferred", &self.transferred)
            .field("handlers", &self.handlers)
            .field("exchanges", &self.exchanges)
            .field("fate", &self.fate)
            .finish_non_exhaustive()
    }
}

/// How a protocol ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// With its last answer, or because nothing was going on.
    Complete,
    /// With a request that cannot be read, and was told so.
    Broken,
    /// With a body whose chunks cannot be told apart. actix takes that for a client that is gone.
    Misframed,
    /// In the middle, by the watchdog.
    Cut,
}

/// Counts something of a connection while it lives.
#[derive(Debug)]
pub(super) struct Counted {
    connection: Rc<Connection>,
    counter: fn(&Connection) -> &Cell<usize>,
}

impl Counted {
    /// A request whose answer has not been handed over completely.
    pub(super) fn exchange(connection: &Rc<Connection>) -> Self {
        connection.requests.set(connection.requests.get().wrapping_add(1));
        Self::new(connection, |connection| &connection.exchanges)
    }

    /// A request whose answer is being found.
    pub(super) fn handler(connection: &Rc<Connection>) -> Self {
        Self::new(connection, |connection| &connection.handlers)
    }

    /// A stream of HTTP/2.
    pub(super) fn stream(connection: &Rc<Connection>) -> Self {
        Self::new(connection, |connection| &connection.streams)
    }

    /// Counts no longer, which the protocol may be waiting for.
    pub(super) fn end(self) {
        let connection = Rc::clone(&self.connection);
        drop(self);
        connection.wake();
    }

    fn new(connection: &Rc<Connection>, counter: fn(&Connection) -> &Cell<usize>) -> Self {
        let connection = Rc::clone(connection);
        let count = counter(&connection);
        count.set(count.get() + 1);
        Self { connection, counter }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let count = (self.counter)(&self.connection);
        count.set(count.get().saturating_sub(1));
    }
}

pin_project_lite::pin_project! {
    /// A protocol that runs until it ends or the connection's fate is decided, whatever the protocol waits for.
    pub(super) struct Supervised<P> {
        connection: Rc<Connection>,
        is_http1: bool,
        #[pin]
        protocol: P,
    }
}

impl<P> Supervised<P> {
    pub(super) fn new(connection: Rc<Connection>, is_http1: bool, protocol: P) -> Self {
        Self {
            connection,
            is_http1,
            protocol,
        }
    }
}

impl<P: Future<Output: Into<Ending>>> Future for Supervised<P> {
    type Output = Ending;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ending> {
        let this = self.project();
        this.connection.remember(context.waker());
        match this.connection.fate() {
            Fate::Cut => return Poll::Ready(Ending::Cut),
            // HTTP/2 tells its client first.
            Fate::Draining if *this.is_http1 && this.connection.is_idle() => {
                return Poll::Ready(Ending::Complete);
            }
            Fate::Open | Fate::Draining => {}
        }
        let polled = this.protocol.poll(context);
        let (connection, is_http1) = (this.connection, *this.is_http1);
        if polled.is_pending() && is_http1 && connection.fate() == Fate::Draining && connection.is_idle() {
            // That was the end of the last answer.
            return Poll::Ready(Ending::Complete);
        }
        polled.map(|ended| {
            // actix leaves the handler of an HTTP/1.1 request alone in this case only.
            if is_http1 && connection.is_handling() && !connection.has_ended.get() {
                return Ending::Misframed;
            }
            ended.into()
        })
    }
}

/// A client that is gone, as opposed to a failure that somebody should hear of.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::TimedOut
            | io::ErrorKind::UnexpectedEof
    )
}
