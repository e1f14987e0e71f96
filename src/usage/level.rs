//! How much waits in the queue, which has no length of its own, and how many records found no room.

use super::{Mailbox, Stored};

/// Key of the level.
const KEY: &str = "bedrock.usage.level";

/// Version of its format.
const VERSION: u8 = 1;

/// How often to try again if another worker was faster.
const TRIES: usize = 16;

/// What all workers know of the queue. Each adds to it once a tick, so it lags behind by that much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    /// Records in the queue.
    pub(super) waiting: u64,
    /// Records that were dropped and of which nobody has been told yet.
    pub(super) dropped: u64,
}

/// What one worker has done since it last said so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Whether it found the queue empty. Then the level starts from 0, and what follows counts from there.
    pub(super) emptied: bool,
    /// Records that it put into the queue.
    pub(super) put: u64,
    /// Records that it took from the queue.
    pub(super) taken: u64,
    /// Records that it dropped.
    pub(super) dropped: u64,
    /// Dropped records of which it told the config-service.
    pub(super) told: u64,
}

impl Level {
    fn after(self, change: Change) -> Self {
        let waiting = if change.emptied { 0 } else { self.waiting };
        let waiting = waiting.saturating_add(change.put);
        let dropped = self.dropped.saturating_add(change.dropped);
        Self {
            waiting: waiting.saturating_sub(change.taken),
            dropped: dropped.saturating_sub(change.told),
        }
    }

    fn read(value: &[u8]) -> Self {
        let read = || {
            let rest = value.strip_prefix(&[VERSION])?;
            let (waiting, dropped) = rest.split_first_chunk()?;
            Some(Self {
                waiting: u64::from_le_bytes(*waiting),
                dropped: u64::from_le_bytes(dropped.try_into().ok()?),
            })
        };
        read().unwrap_or_default()
    }

    fn bytes(self) -> Vec<u8> {
        let numbers = [self.waiting.to_le_bytes(), self.dropped.to_le_bytes()];
        [&[VERSION][..], numbers.as_flattened()].concat()
    }
}

/// Adds what a worker has done; the level then, or `None` if other workers are always faster.
pub(super) fn settle(change: Change, mailbox: &mut dyn Mailbox) -> Option<Level> {
    for _ in 0..TRIES {
        let (stored, version) = mailbox.load(KEY);
        let before = Level::read(&stored);
        let level = before.after(change);
        if level == before && version.is_some() {
            return Some(level);
        }
        if mailbox.store(KEY, &level.bytes(), version) == Stored::Kept {
            return Some(level);
        }
    }
    None
}
