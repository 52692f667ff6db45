//! A client that sends a body and at once says that nothing more comes.
//!
//! actix takes the end of what a client sends for the end of the body under way, also while the last bytes of that body wait
//! in its buffer because the handler is slower, and throws these away. So the end is held back until its buffer is empty.

use std::cell::Cell;

/// The body under way on a connection of HTTP/1.1, which has one at a time.
#[derive(Debug, Default)]
pub(super) struct BodyUnderWay {
    is_open: Cell<bool>,
    /// Whether its reader has found nothing and waits.
    is_awaited: Cell<bool>,
    /// Pieces that the reader got, for comparing.
    pieces: Cell<u64>,
    /// The pieces when the end was held back last, while the reader waited.
    seen: Cell<Option<u64>>,
    is_end_held: Cell<bool>,
}

impl BodyUnderWay {
    /// A body begins.
    pub(super) fn begin(&self) {
        self.is_open.set(true);
        self.is_awaited.set(false);
        self.seen.set(None);
    }

    /// The body has come to its end, or nobody reads it any more. Whether the protocol waits to learn so.
    pub(super) fn end(&self) -> bool {
        self.is_open.set(false);
        self.is_end_held.get()
    }

    /// The reader has got a piece.
    pub(super) fn delivered(&self) {
        self.pieces.set(self.pieces.get().wrapping_add(1));
        self.is_awaited.set(false);
    }

    /// The reader has found nothing. Whether the protocol waits to learn so.
    pub(super) fn await_more(&self) -> bool {
        self.is_awaited.set(true);
        self.is_end_held.get()
    }

    /// Whether the protocol may learn now that nothing more comes. Asked by the protocol each time before it looks into its
    /// buffer; what it finds there it hands to a reader that waits.
    pub(super) fn may_learn_of_end(&self) -> bool {
        if !self.is_open.get() {
            return true;
        }
        self.is_end_held.set(true);
        if !self.is_awaited.get() {
            self.seen.set(None);
            return false;
        }
        // The reader waited the last time, too, and the protocol has looked since: nothing was there.
        let pieces = Some(self.pieces.get());
        self.seen.replace(pieces) == pieces
    }

    /// Whether somebody waits for more, so that the protocol has to look.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_awaited.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_end_behind_bytes_that_wait_when_asked_then_told_after_the_reader_has_waited_for_nothing() {
        let body = BodyUnderWay::default();
        assert!(body.may_learn_of_end(), "there is no body");
        body.begin();
        assert!(
            !body.may_learn_of_end(),
            "nobody has looked for the first piece yet"
        );
        assert!(body.await_more(), "the protocol has to look again");
        assert!(!body.may_learn_of_end(), "the protocol has not looked since");
        body.delivered();
        assert!(!body.may_learn_of_end());
        body.await_more();
        assert!(!body.may_learn_of_end());
        assert!(body.may_learn_of_end(), "the protocol has looked in vain");

        body.begin();
        assert!(!body.may_learn_of_end());
        assert!(body.end());
        assert!(body.may_learn_of_end());
    }
}
