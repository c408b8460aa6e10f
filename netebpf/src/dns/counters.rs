//! How much was asked on each network, and what became of it.

use std::sync::atomic::{AtomicU64, Ordering};

/// What has been counted since the daemon started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Queries of sandboxes on the network, however they ended.
    pub queries: u64,
    /// Those that were answered with what the network knows.
    pub answered: u64,
    /// Those that another server was asked about.
    pub forwarded: u64,
    /// Those of these that nobody answered.
    pub failed: u64,
    /// Those that were malformed, or too many.
    pub refused: u64,
}

/// The same, counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) queries: Counter,
    pub(super) answered: Counter,
    pub(super) forwarded: Counter,
    pub(super) failed: Counter,
    pub(super) refused: Counter,
}

/// Counts one thing.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn read(&self) -> Counts {
        Counts {
            queries: self.queries.read(),
            answered: self.answered.read(),
            forwarded: self.forwarded.read(),
            failed: self.failed.read(),
            refused: self.refused.read(),
        }
    }
}
