//! What clients may hold of what all of them need: upload slots, open uploads, memory.

mod client;
mod shares;

pub use client::Client;
pub use shares::{Refusal, Share, Shares, SharesMetrics};
