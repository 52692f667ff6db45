//! Taking an input apart.

use std::borrow::Cow;

/// Bytes that are read from the front; what is not there reads as zeros.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn of(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Eight bytes, the least significant first.
    pub(crate) fn number(&mut self) -> u64 {
        (0..8).fold(0, |all, position| all | u64::from(self.byte()) << (8 * position))
    }

    /// The bytes up to the next of these, which is dropped.
    pub(crate) fn until(&mut self, end: u8) -> &'a [u8] {
        let at = self.0.iter().position(|byte| *byte == end);
        let (taken, rest) = self.0.split_at(at.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        taken
    }

    /// A line as text; what is no UTF-8 becomes replacement characters, so that no input is wasted.
    pub(crate) fn line(&mut self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.until(b'\n'))
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn text(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
