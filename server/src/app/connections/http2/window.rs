//! How much of the bodies of its requests one connection may send before somebody reads it.

use std::sync::Arc;

use crate::services::capacity::{Client, Share, Shares};

/// What a connection may send without asking: as much as the protocol gives to everybody. Buffers of this size every
/// connection has.
pub(super) const NARROW_BYTES: u32 = 65_535;

/// What is tried, in this order, when a body comes. The first is enough for a gigabit a second over 16 ms.
const WIDE_BYTES: [u32; 4] = [2 << 20, 1 << 20, 512 << 10, 256 << 10];

/// The window of one connection. What the client was once allowed to send cannot be taken back, so the memory of a wide
/// window is held until the connection ends.
#[derive(Debug)]
pub(super) struct Window {
    memory: Arc<Shares>,
    client: Client,
    held: Vec<Share>,
    size: u32,
}

impl Window {
    /// The window that every connection begins with.
    pub(super) fn new(memory: Arc<Shares>, client: Client) -> Self {
        Self {
            memory,
            client,
            held: Vec::new(),
            size: NARROW_BYTES,
        }
    }

    /// Makes the window as wide as there is memory for. The new size, if that is more than before.
    pub(super) fn widen(&mut self) -> Option<u32> {
        let now = self.size;
        let size = WIDE_BYTES
            .into_iter()
            .take_while(|size| *size > now)
            .find(|size| self.take(*size))?;
        self.size = size;
        Some(size)
    }

    fn take(&mut self, size: u32) -> bool {
        let held = if self.held.is_empty() { 0 } else { self.size };
        let taken = self.memory.offer(self.client, (size - held) as usize);
        taken.map(|share| self.held.push(share)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Client {
        Client::of(None, [192, 0, 2, number].into())
    }

    #[test]
    fn given_memory_when_bodies_come_then_the_window_is_as_wide_as_the_memory_and_counted_until_the_end() {
        let memory = Arc::new(Shares::new(3 << 20));
        let mut first = Window::new(Arc::clone(&memory), client(1));
        assert_eq!(first.widen(), Some(2 << 20));
        assert_eq!(first.widen(), None, "it is as wide as any");
        let mut second = Window::new(Arc::clone(&memory), client(2));
        assert_eq!(second.widen(), Some(1 << 20));
        let mut third = Window::new(Arc::clone(&memory), client(3));
        assert_eq!(third.widen(), None);
        assert_eq!(memory.held(), 3 << 20);

        drop(first);
        assert_eq!(memory.held(), 1 << 20);
        assert_eq!(third.widen(), Some(2 << 20));
        drop(third);
        assert_eq!(second.widen(), Some(2 << 20));
        assert_eq!(memory.held(), 2 << 20, "what it had counts");
        drop(second);
        assert_eq!(memory.held(), 0);
    }
}
