//! Changing inputs without knowing what they reach: enough to catch what breaks easily, on every machine.

/// Numbers at which readers go wrong.
const EDGES: [u64; 12] = [
    0,
    1,
    127,
    128,
    255,
    256,
    65_535,
    1 << 31,
    (1 << 32) - 1,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Makes new inputs out of old ones. The same seed makes the same inputs.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
    words: Vec<Vec<u8>>,
    longest: usize,
}

impl Mutator {
    /// A mutator that uses `words` and makes no input longer than `longest`.
    pub fn new(seed: u64, words: Vec<Vec<u8>>, longest: usize) -> Self {
        Self {
            state: seed,
            words,
            longest,
        }
    }

    /// One of the inputs with a change or two, seldom more, of which some come from another input.
    pub fn next(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(inputs).cloned().unwrap_or_default();
        self.change(&mut input, inputs);
        // Most changes break the syntax: with many there would be nothing but refusals.
        while self.below(2) == 0 {
            self.change(&mut input, inputs);
        }
        input.truncate(self.longest);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(9) {
            0 => flip(input, at, 1 << self.below(8)),
            1 => flip(input, at, self.random() as u8),
            2 => {
                let bytes = self.random().to_le_bytes();
                insert(input, at, bytes.get(..=self.below(8).min(7)).unwrap_or_default());
            }
            3 => drop(input.drain(self.span(at, input.len()))),
            4 => {
                let span = self.span(at, input.len());
                let copied = input.get(span).unwrap_or_default().to_vec();
                let to = self.below(input.len() + 1);
                insert(input, to, &copied);
            }
            5 => {
                let edge = self.edge();
                insert(input, at, edge.to_string().as_bytes());
            }
            6 => {
                let edge = self.edge();
                input.truncate(at);
                input.extend_from_slice(&edge.to_le_bytes());
            }
            7 => {
                let words = std::mem::take(&mut self.words);
                insert(input, at, self.pick(&words).map_or(&[][..], Vec::as_slice));
                self.words = words;
            }
            _ => {
                let other = self.pick(inputs).cloned().unwrap_or_default();
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(other.get(from..).unwrap_or_default());
            }
        }
    }

    fn edge(&mut self) -> u64 {
        let near = self.below(3) as u64;
        self.pick(&EDGES)
            .map_or(0, |edge| edge.wrapping_add(near).wrapping_sub(1))
    }

    /// A short run from `at` on.
    fn span(&mut self, at: usize, end: usize) -> std::ops::Range<usize> {
        at..(at + self.below(32)).min(end)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.random() % (bound.max(1) as u64)) as usize
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

fn flip(input: &mut [u8], at: usize, bits: u8) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= bits;
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_same_seed_when_mutated_then_the_same_inputs_that_differ_from_each_other() {
        let inputs = [b"bytes=0-1023".to_vec(), Vec::new()];
        let all = |seed| {
            let mut mutator = Mutator::new(seed, vec![b"bytes=".to_vec()], 64);
            (0..1000).map(|_| mutator.next(&inputs)).collect::<Vec<_>>()
        };
        let first = all(7);
        assert_eq!(first, all(7));
        assert_ne!(first, all(8));
        assert!(first.iter().all(|input| input.len() <= 64));
        let distinct: std::collections::HashSet<_> = first.iter().collect();
        assert!(distinct.len() > 500, "{}", distinct.len());
    }
}
