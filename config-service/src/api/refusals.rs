//! Addresses that sent wrong tokens lately.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tokens that an address may send within [`WINDOW`].
const ALLOWED: u32 = 10;

/// How long a wrong token counts.
const WINDOW: Duration = Duration::from_secs(60);

/// Addresses that are remembered at most; who spreads over more gains little against 256 random bits.
const ADDRESSES: usize = 10_000;

/// Counts wrong tokens by address. Clones share one count.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    counts: Arc<Mutex<BTreeMap<IpAddr, Count>>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    refused: u32,
    since: Instant,
}

impl Refusals {
    /// How long an address has to wait; `None` when it may try.
    pub(super) fn wait(&self, peer: IpAddr) -> Option<Duration> {
        self.wait_at(peer, Instant::now())
    }

    /// An address sent a wrong token.
    pub(super) fn note(&self, peer: IpAddr) {
        self.note_at(peer, Instant::now());
    }

    fn wait_at(&self, peer: IpAddr, now: Instant) -> Option<Duration> {
        let count = *self.lock().get(&peer)?;
        let left = WINDOW.checked_sub(now.duration_since(count.since))?;
        (count.refused >= ALLOWED && !left.is_zero()).then_some(left)
    }

    fn note_at(&self, peer: IpAddr, now: Instant) {
        let mut counts = self.lock();
        if counts.len() >= ADDRESSES {
            counts.retain(|_, count| now.duration_since(count.since) < WINDOW);
        }
        if counts.len() >= ADDRESSES {
            counts.pop_first();
        }
        let fresh = Count {
            refused: 0,
            since: now,
        };
        let count = counts.entry(peer).or_insert(fresh);
        if now.duration_since(count.since) >= WINDOW {
            *count = fresh;
        }
        count.refused += 1;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn an_address_waits_after_ten_wrong_tokens_and_no_other_does() {
        let refusals = Refusals::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let peer = IpAddr::from([10, 0, 0, 1]);
        for second in 0..10 {
            assert_eq!(refusals.wait_at(peer, at(second)), None);
            refusals.note_at(peer, at(second));
        }
        assert_eq!(
            refusals.wait_at(peer, at(10)),
            Some(Duration::from_secs(50))
        );
        assert_eq!(refusals.wait_at(IpAddr::from([10, 0, 0, 2]), at(10)), None);
        assert_eq!(refusals.wait_at(peer, at(60)), None);
        refusals.note_at(peer, at(61));
        assert_eq!(refusals.wait_at(peer, at(62)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let refusals = Refusals::default();
        let now = Instant::now();
        for number in 0..20_000 {
            refusals.note_at(Ipv4Addr::from_bits(number).into(), now);
        }
        assert_eq!(refusals.lock().len(), ADDRESSES);
    }
}
