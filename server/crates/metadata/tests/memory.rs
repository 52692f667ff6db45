//! The contract suite on the engine in memory.
#![cfg(feature = "contract")]

mod suite;

use std::sync::Arc;

use zas_metadata::contract::Subject;
use zas_metadata::{Clocks, MemoryMetadata, Timing};

fn make(clocks: Clocks, timing: Timing) -> Subject {
    Subject {
        store: Arc::new(MemoryMetadata::new(clocks, timing)),
        ground: Arc::new(()),
    }
}

suite::each_group!(make);
