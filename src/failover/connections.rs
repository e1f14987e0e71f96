//! Which channels have a connection that was used before, and so may have been closed by the other side.

use std::collections::BTreeSet;

/// Channels that said something when they were last called; of one worker.
#[derive(Debug, Default)]
pub(super) struct Connections {
    used: BTreeSet<String>,
}

impl Connections {
    /// A channel has said something.
    pub(super) fn used(&mut self, channel: &str) {
        if !self.used.contains(channel) {
            self.used.insert(channel.to_owned());
        }
    }

    /// A call of a channel ended without a word; returns whether its connection may have been used before. The next
    /// call makes a new one.
    pub(super) fn broke(&mut self, channel: &str) -> bool {
        self.used.remove(channel)
    }

    /// Forgets channels that are no longer configured.
    pub(super) fn retain(&mut self, is_configured: impl Fn(&str) -> bool) {
        self.used.retain(|channel| is_configured(channel));
    }
}
