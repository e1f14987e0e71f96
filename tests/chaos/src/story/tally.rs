//! How many requests ended how.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// Numbers by what was counted.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    /// Counts one more.
    pub fn count(&self, what: impl Into<String>) {
        *self
            .0
            .lock()
            .expect("no panic")
            .entry(what.into())
            .or_default() += 1;
    }

    /// All that was counted.
    pub fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().expect("no panic").clone()
    }
}
