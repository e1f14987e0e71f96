//! What an Envoy counts of one caller by itself.
//!
//! All of it is one value, so that a request reads and writes it once at its start and once at its end: the bucket of
//! requests, the bucket of tokens, and a place for each request that runs. A place has the end of a lease, in
//! milliseconds since the epoch, so that those of a VM that dies are given back by themselves; a free one has 0.

use std::time::Duration;

use super::bucket::{Bucket, BucketLimit, Charge, millis};
use super::{Denial, Verdict};
use crate::chat::{LimitKind, Standing};
use crate::config::CallerLimits;

/// Seconds' worth of a limit that a caller may use at once.
const BURST_SECONDS: u32 = 60;

/// How long a request counts if nobody says that it is over: as long as a model may be silent in the bootstraps.
const LEASE: Duration = Duration::from_secs(600);

/// Bytes of both buckets.
const BUCKETS: usize = 2 * Bucket::BYTES;

/// Bytes of a place.
const PLACE: usize = 8;

/// A request that counts, until the lease is given back or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// In milliseconds since the epoch.
    ends: u64,
}

/// What becomes of a request at its start.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ruling {
    /// Why it is denied, if it is.
    pub(super) denial: Option<Denial>,
    /// What it has to give back.
    pub(super) lease: Option<Lease>,
    /// How the caller stands then.
    pub(super) standings: Vec<Standing>,
}

/// The value of one caller.
pub(super) struct Sheet<'v> {
    value: &'v mut Vec<u8>,
}

impl<'v> Sheet<'v> {
    /// Reads a value; one that cannot be read starts over.
    pub(super) fn of(value: &'v mut Vec<u8>) -> Self {
        if value.len() < BUCKETS || !value.len().is_multiple_of(PLACE) {
            value.clear();
            value.resize(BUCKETS + PLACE, 0);
        }
        Self { value }
    }

    /// Takes what a request needs at its start: a place, itself and the tokens that it reserves. A request that one of the
    /// limits denies takes nothing from any.
    pub(super) fn admit(&mut self, limits: &CallerLimits, reserved: u64, now: Duration) -> Ruling {
        let most = limits.concurrent_requests;
        if let Some(most) = most.filter(|most| self.running(now) >= *most) {
            return Ruling {
                denial: Some(Denial::Concurrency { most }),
                ..Ruling::default()
            };
        }
        let asked = [
            (LimitKind::Requests, limits.rpm, 1),
            (LimitKind::Tokens, limits.tpm, reserved),
        ];
        let before = self.buckets().map(|own| *own);
        let mut standings = Vec::with_capacity(asked.len());
        for (kind, per_minute, hits) in asked {
            let Some(per_minute) = per_minute else {
                continue;
            };
            let verdict = self.take((kind, per_minute), (Charge::Asked, hits), now);
            if verdict.is_over() {
                if let (Some(buckets), Some(before)) = (self.buckets(), before) {
                    *buckets = before;
                }
                return Ruling {
                    denial: Some(Denial::Limit(verdict)),
                    lease: None,
                    standings: self.standings(limits, now),
                };
            }
            standings.push(verdict.standing());
        }
        Ruling {
            denial: None,
            lease: most.map(|_| self.lease(now)),
            standings,
        }
    }

    /// How the caller stands, without taking anything.
    fn standings(&mut self, limits: &CallerLimits, now: Duration) -> Vec<Standing> {
        let all = [
            (LimitKind::Requests, limits.rpm),
            (LimitKind::Tokens, limits.tpm),
        ];
        let all = all.into_iter();
        let limits = all.filter_map(|(kind, limit)| Some((kind, limit?)));
        limits
            .map(|limit| self.take(limit, (Charge::Asked, 0), now).standing())
            .collect()
    }

    /// The bytes of both buckets.
    fn buckets(&mut self) -> Option<&mut [u8; BUCKETS]> {
        self.value.first_chunk_mut()
    }

    /// Counts so many hits.
    pub(super) fn take(
        &mut self,
        (kind, per_minute): (LimitKind, u32),
        charge: (Charge, u64),
        now: Duration,
    ) -> Verdict {
        let limit = BucketLimit {
            kind,
            per_minute,
            burst_seconds: BURST_SECONDS,
        };
        let start = match kind {
            LimitKind::Requests => 0,
            LimitKind::Tokens => Bucket::BYTES,
        };
        let place = self.value.get_mut(start..start + Bucket::BYTES);
        let place = place.unwrap_or_default();
        let mut bucket = Bucket::of_bytes(place);
        let verdict = bucket.take(&limit, charge, now);
        if let Some(place) = place.first_chunk_mut() {
            *place = bucket.to_bytes();
        }
        verdict
    }

    /// Counts a request no longer.
    pub(super) fn give_back(&mut self, lease: Lease) {
        // Those with the same end are alike.
        if let Some(place) = self.place(|ends| ends == lease.ends) {
            *place = [0; PLACE];
        }
        // One free place is kept: without it, the next request would have to move the value.
        while self.value.len() > BUCKETS + PLACE && self.value.ends_with(&[0; 2 * PLACE]) {
            self.value.truncate(self.value.len() - PLACE);
        }
    }

    fn lease(&mut self, now: Duration) -> Lease {
        let ends = millis(now + LEASE);
        let now = millis(now);
        match self.place(|ends| ends <= now) {
            Some(place) => *place = ends.to_le_bytes(),
            None => self.value.extend(ends.to_le_bytes()),
        }
        Lease { ends }
    }

    /// How many requests run.
    fn running(&self, now: Duration) -> u32 {
        let now = millis(now);
        let places = self.value.get(BUCKETS..).unwrap_or_default();
        let (places, _) = places.as_chunks::<PLACE>();
        let running = places
            .iter()
            .filter(|ends| u64::from_le_bytes(**ends) > now);
        u32::try_from(running.count()).unwrap_or(u32::MAX)
    }

    /// The first place like that.
    fn place(&mut self, is_wanted: impl Fn(u64) -> bool) -> Option<&mut [u8; PLACE]> {
        let places = self.value.get_mut(BUCKETS..).unwrap_or_default();
        let (places, _) = places.as_chunks_mut::<PLACE>();
        let mut places = places.iter_mut();
        places.find(|ends| is_wanted(u64::from_le_bytes(**ends)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    const LIMITS: CallerLimits = CallerLimits {
        rpm: Some(10),
        tpm: None,
        concurrent_requests: Some(3),
    };

    fn admit(value: &mut Vec<u8>, now: Duration) -> Ruling {
        Sheet::of(value).admit(&LIMITS, 0, now)
    }

    #[test]
    fn places_are_used_again_and_given_up() {
        let mut value = Vec::new();
        let later = |seconds| NOW + Duration::from_secs(seconds);
        let leases = [0, 1, 2].map(|second| admit(&mut value, later(second)).lease.unwrap());
        assert_eq!(value.len(), BUCKETS + 3 * PLACE);
        let most = LIMITS.concurrent_requests.unwrap();
        let full = admit(&mut value, later(3));
        assert_eq!(full.denial, Some(Denial::Concurrency { most }));
        assert_eq!((full.lease, full.standings), (None, Vec::new()));
        Sheet::of(&mut value).give_back(leases[1]);
        assert_eq!(Sheet::of(&mut value).running(later(3)), 2);
        let again = admit(&mut value, later(3)).lease.unwrap();
        assert_eq!(value.len(), BUCKETS + 3 * PLACE);
        // Twice is no more than once.
        for lease in [leases[0], leases[2], again, again] {
            Sheet::of(&mut value).give_back(lease);
        }
        assert_eq!(value.len(), BUCKETS + PLACE);
        assert_eq!(Sheet::of(&mut value).running(later(3)), 0);
    }

    #[test]
    fn a_place_is_free_when_its_lease_has_ended() {
        let mut value = Vec::new();
        for _ in 0..3 {
            assert!(admit(&mut value, NOW).lease.is_some());
        }
        let just_before = NOW + LEASE - Duration::from_millis(1);
        assert!(admit(&mut value, just_before).denial.is_some());
        assert!(admit(&mut value, NOW + LEASE).lease.is_some());
        assert_eq!(value.len(), BUCKETS + 3 * PLACE);
    }

    #[test]
    fn what_is_no_value_starts_anew() {
        for other in [&[][..], &[7; 31], &[7; 33], &[7; 39]] {
            let mut value = other.to_vec();
            let ruling = admit(&mut value, NOW);
            assert_eq!(ruling.standings[0].remaining, Some(9));
            assert_eq!(value.len(), BUCKETS + PLACE);
        }
    }
}
