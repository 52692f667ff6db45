//! Patterns of repository names and what is looked up by them.

mod glob;
mod map;

pub use glob::{GlobPattern, InvalidPattern};
pub use map::PatternMap;

#[cfg(test)]
mod tests;
