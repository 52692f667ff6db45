//! TLS being set up. Who takes long for it does not keep a place that others need.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio_util::sync::CancellationToken;

/// A burst of clients on a busy machine.
const MIN_HANDSHAKES: usize = 16;

/// The handshakes of one worker.
#[derive(Debug)]
pub(super) struct Handshakes {
    limit: usize,
    under_way: RefCell<BTreeMap<u64, CancellationToken>>,
    next_number: Cell<u64>,
}

/// One of them, while it lives.
#[derive(Debug)]
pub(super) struct Handshake {
    all: Rc<Handshakes>,
    number: u64,
    given_up: CancellationToken,
}

impl Handshakes {
    /// A worker that has places for so many connections. A quarter of them is the most that handshakes take.
    pub(super) fn new(places: usize) -> Self {
        Self {
            limit: (places / 4).max(MIN_HANDSHAKES),
            under_way: RefCell::default(),
            next_number: Cell::new(0),
        }
    }

    /// Begins one. When there are too many, the one that has taken the longest is given up.
    pub(super) fn begin(self: &Rc<Self>) -> Handshake {
        let number = self.next_number.get();
        self.next_number.set(number + 1);
        let given_up = CancellationToken::new();
        let mut under_way = self.under_way.borrow_mut();
        if under_way.len() >= self.limit
            && let Some((_, oldest)) = under_way.pop_first()
        {
            oldest.cancel();
        }
        under_way.insert(number, given_up.clone());
        Handshake {
            all: Rc::clone(self),
            number,
            given_up,
        }
    }
}

impl Handshake {
    /// Waits until another one needs the place.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.all.under_way.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_more_handshakes_than_places_when_one_more_begins_then_the_oldest_is_given_up_alone() {
        let all = Rc::new(Handshakes::new(4));
        let mut under_way: Vec<_> = (0..MIN_HANDSHAKES).map(|_| all.begin()).collect();
        assert!(under_way.iter().all(|one| !one.given_up.is_cancelled()));

        under_way.push(all.begin());
        let given_up: Vec<_> = under_way.iter().map(|one| one.given_up.is_cancelled()).collect();
        assert_eq!(given_up.iter().position(|is_given_up| *is_given_up), Some(0));
        assert_eq!(given_up.iter().filter(|is_given_up| **is_given_up).count(), 1);

        // Those that are done make room.
        under_way.truncate(3);
        let late: Vec<_> = (0..MIN_HANDSHAKES - 2).map(|_| all.begin()).collect();
        assert!(
            late.iter()
                .chain(&under_way[1..])
                .all(|one| !one.given_up.is_cancelled())
        );
    }
}
