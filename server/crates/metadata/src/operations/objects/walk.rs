//! Walks through keys in order, where keys that have the delimiter behind the prefix are shown as one.

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::operations::listings::{self, FEW_ROWS};
use crate::ordered_map::{Effort, KeyRange, ScanEnd};
use crate::view::View;
use crate::{MetadataError, Result};

/// Rows that are crossed one by one before the walk seeks past the rest of what is shown as one: a seek costs about as
/// much.
const NEAR: usize = 8;

/// Seeks of a walk of bounded effort.
const FEW_SEEKS: usize = 16;

/// Which keys are walked through.
pub(crate) struct Walk<'a> {
    /// Where the rows are.
    pub(crate) range: KeyRange,
    /// What every key in the range starts with.
    pub(crate) prefix: &'a str,
    /// What makes keys one.
    pub(crate) delimiter: Option<&'a str>,
    /// How many entries and common prefixes are shown at most.
    pub(crate) count: usize,
    /// How much work it may be.
    pub(crate) effort: Effort,
}

/// What was seen, in order.
pub(crate) struct Walked<T> {
    /// Rows that are shown by themselves.
    pub(crate) entries: Vec<T>,
    /// What is shown in place of several.
    pub(crate) prefixes: Vec<String>,
    /// Whether more follow.
    pub(crate) more: bool,
    /// Whether the last thing shown is a common prefix.
    pub(crate) ends_with_prefix: bool,
}

/// How rows of a table are read.
pub(crate) trait Table<T> {
    /// The object's key in a row's key.
    fn name<'k>(&self, key: &'k [u8]) -> Option<Cow<'k, str>>;

    /// A row that is shown.
    fn entry(&mut self, key: &[u8], value: &[u8]) -> Option<T>;

    /// Every row whose object's key starts with this.
    fn starting_with(&self, prefix: &str) -> KeyRange;
}

/// A page of a walk; `None` when a bounded effort does not get there.
pub(crate) fn walk<T>(
    view: &View<'_>,
    walk: Walk<'_>,
    table: &mut impl Table<T>,
) -> Result<Option<Walked<T>>> {
    let mut walker = Walker {
        prefix: walk.prefix,
        delimiter: walk.delimiter.filter(|delimiter| !delimiter.is_empty()),
        count: walk.count,
        is_bounded: walk.effort == Effort::Bounded,
        walked: Walked {
            entries: Vec::new(),
            prefixes: Vec::new(),
            more: false,
            ends_with_prefix: false,
        },
        common: None,
        crossed: 0,
    };
    if walk.count == 0 {
        return Ok(Some(walker.walked));
    }
    let mut range = walk.range;
    for seeks in 0.. {
        if walker.is_bounded && seeks == FEW_SEEKS {
            return Ok(None);
        }
        let mut stop = None;
        let end = view.scan(
            &range,
            walk.effort,
            &mut |key, value| match walker.visit(table, key, value) {
                Visit::Next => ControlFlow::Continue(()),
                other => {
                    stop = Some(other);
                    ControlFlow::Break(())
                }
            },
        )?;
        match (stop, end) {
            (Some(Visit::Damaged(error)), _) => return Err(error),
            (Some(Visit::GiveUp), _) | (None, ScanEnd::TooManyDeleted) => return Ok(None),
            (Some(Visit::Seek), _) => match &walker.common {
                Some(common) => range = range.starting_at(&common.to),
                None => break,
            },
            (Some(Visit::Full | Visit::Next) | None, _) => break,
        }
    }
    Ok(Some(walker.walked))
}

struct Walker<'a, T> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    count: usize,
    is_bounded: bool,
    walked: Walked<T>,
    /// The rows of the common prefix that was shown last.
    common: Option<KeyRange>,
    crossed: usize,
}

enum Visit {
    Next,
    /// Past the common prefix.
    Seek,
    Full,
    GiveUp,
    Damaged(MetadataError),
}

impl<T> Walker<'_, T> {
    fn visit(&mut self, table: &mut impl Table<T>, key: &[u8], value: &[u8]) -> Visit {
        if self
            .common
            .as_ref()
            .is_some_and(|common| key < common.to.as_slice())
        {
            self.crossed += 1;
            return if self.crossed > NEAR {
                Visit::Seek
            } else {
                Visit::Next
            };
        }
        let shown = self.walked.entries.len() + self.walked.prefixes.len();
        if shown == self.count {
            self.walked.more = true;
            return Visit::Full;
        }
        if self.is_bounded && shown == FEW_ROWS {
            return Visit::GiveUp;
        }
        let Some(name) = table.name(key) else {
            return Visit::Damaged(listings::damage(key));
        };
        if let Some(common) = self.common_prefix(&name) {
            self.common = Some(table.starting_with(common));
            self.crossed = 0;
            self.walked.prefixes.push(common.to_owned());
            self.walked.ends_with_prefix = true;
            return Visit::Next;
        }
        let Some(entry) = table.entry(key, value) else {
            return Visit::Damaged(listings::damage(key));
        };
        self.walked.entries.push(entry);
        self.walked.ends_with_prefix = false;
        Visit::Next
    }

    /// What a key is shown as, when not by itself.
    fn common_prefix<'n>(&self, name: &'n str) -> Option<&'n str> {
        let delimiter = self.delimiter?;
        let rest = name.get(self.prefix.len()..)?;
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        name.get(..end)
    }
}
