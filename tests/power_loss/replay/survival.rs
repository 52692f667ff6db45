//! Which of the changes that were not synced are on the disk when the power is back.

use fastrand::Rng;

/// What is there of the bytes and sizes that no sync covers, file by file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// Only the first change of each file.
    Oldest,
    /// Only the last change of each file: what is missing before it reads as zeros.
    Newest,
    /// The sizes alone: every byte reads as zero.
    Sizes,
    /// Each write wholly, not at all, or some of its sectors; the size of some moment.
    Some,
}

/// What is there of the names that no sync of their directory covers, directory by directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// Those up to some moment, another one in each directory.
    UpToSome,
    /// Each one or not, in any order, where the directory keeps none: what a file system without a journal may do.
    Some,
}

/// One choice among the legal states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survival {
    /// Of bytes and sizes.
    pub bytes: Bytes,
    /// Of names.
    pub names: Names,
    /// Makes the same choice again.
    pub seed: u64,
}

impl Survival {
    /// The worst that a disk may do without reordering: nothing that was not synced is there.
    pub const NOTHING: Self = Self {
        bytes: Bytes::Nothing,
        names: Names::Nothing,
        seed: 0,
    };

    /// As many different choices as asked for: the extremes first, then any.
    pub fn choose(number: usize, seed: u64) -> Self {
        const EXTREMES: [(Bytes, Names); 6] = [
            (Bytes::Nothing, Names::Nothing),
            (Bytes::Newest, Names::Everything),
            (Bytes::Nothing, Names::Everything),
            (Bytes::Oldest, Names::UpToSome),
            (Bytes::Sizes, Names::Everything),
            (Bytes::Everything, Names::Everything),
        ];
        // Every other choice is an extreme one.
        let extreme = EXTREMES
            .get(number / 2 % EXTREMES.len())
            .filter(|_| number.is_multiple_of(2));
        let (bytes, names) = extreme.copied().unwrap_or((Bytes::Some, Names::Some));
        Self { bytes, names, seed }
    }

    pub(crate) fn random(self, node: usize) -> Rng {
        Rng::with_seed(self.seed.wrapping_mul(1_000_003).wrapping_add(node as u64))
    }
}
