//! Ends connections that make no progress, whatever state their protocol is in, and when places become few also those
//! that nobody would miss.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Fate};

/// How long a connection may stand still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// While a request or its answer is under way and the client is the one to go on.
    pub(super) stalled: Duration,
    /// While the client asks for nothing, however busily it does so.
    pub(super) idle: Duration,
}

/// The connections of one worker.
#[derive(Clone, Debug)]
pub(super) struct Watchdog(Rc<RefCell<Connections>>);

#[derive(Debug)]
struct Connections {
    /// From so many connections on each new one takes the place of one that asks for nothing, if there is one.
    crowd: usize,
    watched: HashMap<u64, Watched>,
    next_number: u64,
    is_draining: bool,
}

#[derive(Debug)]
struct Watched {
    connection: Rc<Connection>,
    /// Bytes transferred when it was last seen to make progress.
    transferred: u64,
    progress: Instant,
    /// Requests there were when the client was last seen to ask for something.
    requests: u64,
    idle_since: Instant,
}

/// Keeps a connection under watch while it lives.
#[derive(Debug)]
pub(super) struct Watch {
    watchdog: Watchdog,
    number: u64,
}

impl Watchdog {
    /// A worker that has places for so many connections. A quarter of them is kept for those who ask for something.
    pub(super) fn new(places: usize) -> Self {
        Self(Rc::new(RefCell::new(Connections {
            crowd: places - places / 4,
            watched: HashMap::new(),
            next_number: 0,
            is_draining: false,
        })))
    }

    pub(super) fn watch(&self, connection: Rc<Connection>) -> Watch {
        let mut connections = self.0.borrow_mut();
        if connections.is_draining {
            connection.decide(Fate::Draining);
        }
        connections.make_room();
        let number = connections.next_number;
        connections.next_number += 1;
        let now = Instant::now();
        let watched = Watched {
            transferred: connection.transferred(),
            requests: connection.requests(),
            connection,
            progress: now,
            idle_since: now,
        };
        connections.watched.insert(number, watched);
        Watch {
            watchdog: self.clone(),
            number,
        }
    }

    /// Looks at all connections again and again. Once `drain` fires, those without a request end at once and the others
    /// after their answer; `cut` ends the time for that.
    pub(super) async fn run(self, patience: Patience, drain: CancellationToken, cut: CancellationToken) {
        let step = (patience.stalled / 12).clamp(Duration::from_millis(5), Duration::from_secs(5));
        let mut ticks = tokio::time::interval(step);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = drain.cancelled(), if !self.0.borrow().is_draining => self.drain(),
                () = cut.cancelled() => return self.say_who_is_cut(),
                now = ticks.tick() => self.inspect(patience, now),
            }
        }
    }

    fn drain(&self) {
        let mut connections = self.0.borrow_mut();
        connections.is_draining = true;
        for watched in connections.watched.values() {
            if watched.connection.fate() == Fate::Open {
                watched.connection.decide(Fate::Draining);
            }
        }
    }

    fn say_who_is_cut(&self) {
        let watched = &self.0.borrow().watched;
        let requests = watched
            .values()
            .filter(|watched| !watched.connection.is_idle())
            .count();
        if requests > 0 {
            tracing::warn!(
                requests,
                "requests that did not end within http.shutdownGrace are cut off; what was uploaded is kept"
            );
        }
    }

    fn inspect(&self, patience: Patience, now: Instant) {
        for watched in self.0.borrow_mut().watched.values_mut() {
            if watched.is_over(patience, now) {
                watched.connection.decide(Fate::Cut);
            }
        }
    }
}

impl Connections {
    /// Ends a connection that is closing, or else the one that has asked for nothing for the longest time.
    fn make_room(&self) {
        if self.watched.len() < self.crowd {
            return;
        }
        let spare = self.watched.values().filter(|watched| watched.is_spare());
        let spare = spare.min_by_key(|watched| (!watched.connection.is_closing(), watched.idle_since));
        if let Some(Watched { connection, .. }) = spare {
            connection.decide(if connection.is_closing() {
                Fate::Cut
            } else {
                Fate::Draining
            });
        }
    }
}

impl Watched {
    fn is_spare(&self) -> bool {
        match self.connection.fate() {
            Fate::Cut => false,
            Fate::Draining => self.connection.is_closing(),
            Fate::Open => self.connection.is_closing() || self.connection.is_idle(),
        }
    }

    fn is_over(&mut self, patience: Patience, now: Instant) -> bool {
        let transferred = self.connection.transferred();
        if transferred != self.transferred || self.connection.is_handling() {
            self.transferred = transferred;
            self.progress = now;
        }
        let requests = self.connection.requests();
        if !self.connection.is_idle() || requests != self.requests {
            self.requests = requests;
            self.idle_since = now;
            return now.duration_since(self.progress) >= patience.stalled;
        }
        now.duration_since(self.idle_since) >= patience.idle
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watchdog.0.borrow_mut().watched.remove(&self.number);
    }
}
