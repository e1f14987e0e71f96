//! How callers without a valid token are treated.
//!
//! A right token is never refused, whatever others send from the same address: only failures are limited.
//! Those beyond an address's quota are answered late and not logged individually. It is the length of tokens
//! that makes guessing hopeless, not this.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::Semaphore;

/// Failures that an address may have at once, and then per minute.
const ALLOWED: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// How late the answer to a failure beyond the quota comes.
const DELAY: Duration = Duration::from_secs(1);

/// The most answers delayed at the same time. Further ones are not delayed, because each holds a connection.
const LATE_AT_ONCE: usize = 64;

/// The number of quotas. Addresses are assigned to them by a hash that outsiders cannot compute, which
/// bounds memory; sharing one with an attacker only means that one's own failures are answered late.
const QUOTAS: u64 = 1024;

/// Prefix of one site's IPv6 network, which has all addresses in it.
/// <https://www.rfc-editor.org/rfc/rfc6177>
const SITE: u128 = u128::MAX << 64;

/// Limits failures by address. Clones share one state.
#[derive(Clone, Debug)]
pub(super) struct Refusals(Arc<State>);

#[derive(Debug)]
struct State {
    quotas: Quotas<DefaultClock>,
    unlogged: AtomicU64,
    late: Semaphore,
}

impl Default for Refusals {
    fn default() -> Self {
        Self(Arc::new(State {
            quotas: Quotas::new(DefaultClock::default()),
            unlogged: AtomicU64::new(0),
            late: Semaphore::new(LATE_AT_ONCE),
        }))
    }
}

impl Refusals {
    /// Logs a failure or, beyond its address's quota, delays; afterwards it may be answered.
    pub(super) async fn meet(&self, client: IpAddr, path: &str, reason: &'static str) {
        let Self(state) = self;
        if state.quotas.allow(client) {
            let unlogged = state.unlogged.swap(0, Ordering::Relaxed);
            tracing::warn!(path, %client, unlogged, "refused: {reason}");
            return;
        }
        state.unlogged.fetch_add(1, Ordering::Relaxed);
        if let Ok(_place) = state.late.try_acquire() {
            tokio::time::sleep(DELAY).await;
        }
    }
}

/// The quotas.
struct Quotas<C: Clock> {
    limiter: RateLimiter<u64, HashMapStateStore<u64>, C, NoOpMiddleware<C::Instant>>,
    hasher: RandomState,
}

impl<C: Clock> Quotas<C> {
    fn new(clock: C) -> Self {
        Self {
            limiter: RateLimiter::hashmap_with_clock(Quota::per_minute(ALLOWED), clock),
            hasher: RandomState::new(),
        }
    }

    /// Whether a failure from this address is within its quota, from which it is then deducted.
    fn allow(&self, client: IpAddr) -> bool {
        let quota = self.hasher.hash_one(site(client)) % QUOTAS;
        self.limiter.check_key(&quota).is_ok()
    }
}

impl<C: Clock> std::fmt::Debug for Quotas<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Quotas")
    }
}

/// What counts as one sender: an IPv4 address, or an IPv6 network.
fn site(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(own) => Ipv6Addr::from_bits(own.to_bits() & SITE).into(),
        own => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::net::Ipv4Addr;

    #[test]
    fn ten_failures_at_once_and_ten_a_minute_are_within_the_quota_of_an_address() {
        let clock = FakeRelativeClock::default();
        let quotas = Quotas::new(clock.clone());
        let client = IpAddr::from([10, 0, 0, 1]);
        let allowed = |tries: usize| (0..tries).filter(|_| quotas.allow(client)).count();
        assert_eq!(allowed(1000), 10);
        clock.advance(Duration::from_secs(5));
        assert_eq!(allowed(1000), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(allowed(1000), 1);
        clock.advance(Duration::from_secs(60));
        assert_eq!(allowed(1000), 10);
    }

    #[test]
    fn addresses_have_quotas_of_their_own() {
        let quotas = Quotas::new(FakeRelativeClock::default());
        while quotas.allow([10, 0, 0, 1].into()) {}
        // A few may share the quota that is used up.
        let others = (0..100).filter(|number| quotas.allow([10, 0, 1, *number].into()));
        assert!(others.count() > 90);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let quotas = Quotas::new(FakeRelativeClock::default());
        for number in 0..100_000 {
            quotas.allow(Ipv4Addr::from_bits(number).into());
        }
        assert!(quotas.limiter.len() <= 1024);
    }

    #[test]
    fn a_site_is_one_sender() {
        let site_of = |text: &str| site(text.parse().unwrap()).to_string();
        assert_eq!(site_of("203.0.113.7"), "203.0.113.7");
        assert_eq!(site_of("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(site_of("2001:db8:1:2:a:b:c:d"), "2001:db8:1:2::");
    }
}
