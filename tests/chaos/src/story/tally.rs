//! Counts how requests ended.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// Counts, by outcome.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    /// Adds one.
    pub fn count(&self, what: impl Into<String>) {
        *self
            .0
            .lock()
            .expect("no panic")
            .entry(what.into())
            .or_default() += 1;
    }

    /// All counts.
    pub fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().expect("no panic").clone()
    }
}
