//! How many requests a caller has at once.
//!
//! Each is a lease with an end, so that those of a VM that dies are given back by themselves.

use std::time::Duration;

use super::counters::{Counters, key};

/// How long a request counts if nobody says that it is over: as long as a model may be silent in the bootstraps.
const LEASE: Duration = Duration::from_secs(600);

/// A request that counts, until the lease is given back or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// In milliseconds since the epoch.
    ends: u64,
}

impl Lease {
    /// Counts one more request of a caller, unless it has `most` already; `now` is the time since the epoch.
    pub(super) fn take(
        counters: &dyn Counters,
        caller: &str,
        most: u32,
        now: Duration,
    ) -> Option<Self> {
        let lease = Self {
            ends: millis(now + LEASE),
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut is_taken = false;
        counters.update(&key("concurrent", caller), &mut |value| {
            let mut leases = read(value);
            leases.retain(|own| own.ends > millis(now));
            is_taken = leases.len() < most;
            if is_taken {
                leases.push(lease);
            }
            write(&leases)
        });
        is_taken.then_some(lease)
    }

    /// Counts it no longer.
    pub(super) fn give_back(self, counters: &dyn Counters, caller: &str) {
        counters.update(&key("concurrent", caller), &mut |value| {
            let mut leases = read(value);
            // Those with the same end are alike.
            if let Some(place) = leases.iter().position(|own| *own == self) {
                leases.swap_remove(place);
            }
            write(&leases)
        });
    }
}

fn read(value: Option<&[u8]>) -> Vec<Lease> {
    let (ends, _) = value.unwrap_or_default().as_chunks();
    let ends = ends.iter().map(|bytes| u64::from_le_bytes(*bytes));
    ends.map(|ends| Lease { ends }).collect()
}

fn write(leases: &[Lease]) -> Vec<u8> {
    leases
        .iter()
        .flat_map(|own| own.ends.to_le_bytes())
        .collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
