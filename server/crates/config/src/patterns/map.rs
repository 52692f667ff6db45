//! Values by pattern, of which the longest pattern that matches a name counts alone.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use zas_core::RepositoryName;

use crate::GlobPattern;

/// A mapping from patterns of repository names to values, as zot reads it: among the patterns that match a name the
/// longest text wins and the others do not count.
///
/// Of two equally long patterns the one with more characters in front of its first wildcard wins, then the
/// alphabetically first, so that the answer never depends on the order in the file.
#[derive(Clone)]
pub struct PatternMap<T> {
    /// From the pattern that wins to the one that loses.
    entries: Vec<(GlobPattern, T)>,
    /// Positions of the patterns that need a certain first component, ascending.
    by_first_component: HashMap<Box<str>, Vec<usize>>,
    /// Positions of the patterns that begin with a wildcard, ascending.
    others: Vec<usize>,
}

impl<T> PatternMap<T> {
    /// The value of the longest pattern that matches `name`.
    ///
    /// Looks only at patterns whose first component can match.
    pub fn longest_match(&self, name: &RepositoryName) -> Option<(&GlobPattern, &T)> {
        let first = name.as_str().split('/').next().unwrap_or_default();
        self.longest_match_where(first, |pattern| pattern.matches(name.as_str()))
    }

    /// The value of the longest pattern that `matches` something whose first component is `first`.
    pub fn longest_match_where(
        &self,
        first: &str,
        matches: impl Fn(&GlobPattern) -> bool,
    ) -> Option<(&GlobPattern, &T)> {
        let mut literal = self
            .by_first_component
            .get(first)
            .into_iter()
            .flatten()
            .copied()
            .peekable();
        let mut others = self.others.iter().copied().peekable();
        loop {
            let next = match (literal.peek(), others.peek()) {
                (Some(left), Some(right)) if right < left => others.next(),
                (Some(_), _) => literal.next(),
                (None, _) => others.next(),
            };
            let (pattern, value) = self.entries.get(next?)?;
            if matches(pattern) {
                return Some((pattern, value));
            }
        }
    }

    /// Every pattern with its value, the one that wins over others first.
    pub fn iter(&self) -> impl Iterator<Item = (&GlobPattern, &T)> {
        self.entries.iter().map(|(pattern, value)| (pattern, value))
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T> FromIterator<(GlobPattern, T)> for PatternMap<T> {
    fn from_iter<I: IntoIterator<Item = (GlobPattern, T)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by(|(left, _), (right, _)| rank(left).cmp(&rank(right)));
        let mut by_first_component: HashMap<Box<str>, Vec<usize>> = HashMap::new();
        let mut others = Vec::new();
        for (position, (pattern, _)) in entries.iter().enumerate() {
            let Some(mut components) = pattern.first_components() else {
                others.push(position);
                continue;
            };
            components.sort_unstable();
            components.dedup();
            for component in components {
                by_first_component
                    .entry(component.into())
                    .or_default()
                    .push(position);
            }
        }
        Self {
            entries,
            by_first_component,
            others,
        }
    }
}

fn rank(pattern: &GlobPattern) -> (Reverse<usize>, Reverse<usize>, &str) {
    (
        Reverse(pattern.as_str().len()),
        Reverse(pattern.literal_length()),
        pattern.as_str(),
    )
}

impl<T> Default for PatternMap<T> {
    fn default() -> Self {
        Self::from_iter([])
    }
}

impl<T: PartialEq> PartialEq for PatternMap<T> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<T: fmt::Debug> fmt::Debug for PatternMap<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl<T: Serialize> Serialize for PatternMap<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PatternMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = PatternMap<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping from patterns")
    }

    fn visit_unit<E>(self) -> Result<PatternMap<T>, E> {
        Ok(PatternMap::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PatternMap<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry::<GlobPattern, T>()? {
            entries.push(entry);
        }
        Ok(entries.into_iter().collect())
    }
}
