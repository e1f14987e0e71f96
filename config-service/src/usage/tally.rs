//! Counts what becomes of what Envoys report, for Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the service started.
#[derive(Debug, Default)]
pub struct Tally {
    stored: AtomicU64,
    failed: AtomicU64,
    records: [AtomicU64; Fate::ALL.len()],
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is stored.
    Stored,
    /// It is stored with the most that is believed in place of what it says.
    Implausible,
    /// It cannot be read.
    Unreadable,
    /// The Envoy had no room for it.
    Dropped,
}

impl Fate {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Stored,
        Self::Implausible,
        Self::Unreadable,
        Self::Dropped,
    ];

    /// Its label in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Implausible => "implausible",
            Self::Unreadable => "unreadable",
            Self::Dropped => "dropped",
        }
    }
}

impl Tally {
    /// A report was stored, or could not be.
    pub(super) fn reported(&self, is_stored: bool) {
        let counter = if is_stored {
            &self.stored
        } else {
            &self.failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// That became of so many records.
    pub(super) fn add(&self, fate: Fate, records: u64) {
        if let Some(counter) = self.records.get(fate as usize) {
            counter.fetch_add(records, Ordering::Relaxed);
        }
    }

    /// Reports by what became of them.
    #[must_use]
    pub fn reports(&self) -> [(&'static str, u64); 2] {
        [("stored", &self.stored), ("failed", &self.failed)]
            .map(|(name, counter)| (name, counter.load(Ordering::Relaxed)))
    }

    /// Records by what became of them.
    pub fn records(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = Fate::ALL.iter().zip(&self.records);
        counts.map(|(fate, counter)| (fate.name(), counter.load(Ordering::Relaxed)))
    }
}
