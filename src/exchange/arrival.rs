//! How much of a message Envoy holds.

/// How much of a message has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// More may follow.
    Partial,
    /// All of it.
    Complete,
}

/// What Envoy holds of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Its length so far, in bytes.
    pub(super) bytes: usize,
    pub(super) arrival: Arrival,
}

impl Arrival {
    /// What Envoy's flag for the end of a message says.
    #[must_use]
    pub fn of(end: bool) -> Self {
        if end { Self::Complete } else { Self::Partial }
    }

    pub(super) fn is_complete(self) -> bool {
        self == Self::Complete
    }
}

impl Held {
    /// Whether to wait for more of a body that may be held up to a length.
    pub(super) fn may_grow(self, max: usize) -> bool {
        !self.arrival.is_complete() && self.bytes <= max
    }
}
