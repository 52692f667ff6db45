//! Consecutive bytes as they were received.

use bytes::{Bytes, BytesMut};

/// Below this size keeping two pieces apart costs more memory than the bytes themselves.
const SMALL: usize = 4 * 1024;

/// Small pieces are put together up to this size.
const JOINED: usize = 64 * 1024;

/// The bytes of a body in order, without copying what comes in large pieces. A client that sends byte by byte costs no
/// more than its bytes.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: Vec<Bytes>,
    /// Small pieces behind all others.
    tail: BytesMut,
    length: usize,
}

impl Pieces {
    pub(super) fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        if piece.len() >= SMALL {
            self.close_tail();
            self.pieces.push(piece);
            return;
        }
        let before = self
            .pieces
            .pop_if(|last| self.tail.is_empty() && last.len() < SMALL);
        if let Some(before) = before {
            self.tail.extend_from_slice(&before);
        } else if self.tail.is_empty() {
            // Most small bodies are one piece.
            self.pieces.push(piece);
            return;
        }
        self.tail.extend_from_slice(&piece);
        if self.tail.len() >= JOINED {
            self.close_tail();
        }
    }

    /// Puts bytes before all others.
    pub(super) fn prepend(&mut self, earlier: Bytes) {
        if !earlier.is_empty() {
            self.length += earlier.len();
            self.pieces.insert(0, earlier);
        }
    }

    /// How many bytes there are.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn into_vec(mut self) -> Vec<Bytes> {
        self.close_tail();
        self.pieces
    }

    /// One buffer, without copying when there is only one piece.
    pub(super) fn into_bytes(self) -> Bytes {
        let length = self.length;
        let mut pieces = self.into_vec();
        if pieces.len() <= 1 {
            return pieces.pop().unwrap_or_default();
        }
        let mut all = BytesMut::with_capacity(length);
        for piece in &pieces {
            all.extend_from_slice(piece);
        }
        all.freeze()
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push(std::mem::take(&mut self.tail).freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_bytes_one_by_one_when_kept_then_they_cost_few_pieces_and_keep_their_order() {
        let mut pieces = Pieces::default();
        let bytes: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
        for byte in bytes.chunks(1) {
            pieces.push(Bytes::copy_from_slice(byte));
        }
        assert_eq!(pieces.length(), bytes.len());
        let vec = pieces.into_vec();
        assert!(vec.len() <= 2, "{} pieces", vec.len());
        assert_eq!(vec.concat(), bytes);
    }

    #[test]
    fn given_pieces_of_all_sizes_when_kept_then_large_ones_are_not_copied_and_all_keep_their_order() {
        let large = Bytes::from(vec![1; SMALL]);
        let mut pieces = Pieces::default();
        pieces.push(Bytes::from_static(b"a"));
        pieces.push(large.clone());
        for small in [&b"b"[..], b"c", b"d"] {
            pieces.push(Bytes::from_static(small));
        }
        pieces.push(large.clone());
        pieces.prepend(Bytes::from_static(b"0"));
        assert_eq!(pieces.length(), 5 + 2 * SMALL);
        let vec = pieces.into_vec();
        let lengths: Vec<_> = vec.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [1, 1, SMALL, 3, SMALL]);
        assert_eq!(vec[2].as_ptr(), large.as_ptr());
        assert_eq!(&vec[3][..], b"bcd");
    }
}
