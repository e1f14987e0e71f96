//! Limits that fill up again evenly, with a burst.

use std::time::Duration;

use super::Verdict;
use crate::chat::LimitKind;

/// Parts of a hit: a limit of one a minute gives back one part in each millisecond.
const PARTS: u64 = 60_000;

/// A limit, and how it is passed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketLimit {
    /// What is counted.
    pub kind: LimitKind,
    /// How much is allowed in a minute.
    pub per_minute: u32,
    /// How many seconds' worth of it is allowed at once, 1 to 60.
    pub burst_seconds: u32,
}

impl BucketLimit {
    /// What fits, in [`PARTS`] of a hit: at least one hit, unless nothing is allowed.
    fn size(&self) -> u64 {
        let rate = u64::from(self.per_minute);
        let burst = rate * u64::from(self.burst_seconds) * 1_000;
        burst.max(rate.min(1) * PARTS)
    }
}

/// What hits are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// Something that has not happened yet. It is denied, and takes nothing, if it does not fit.
    Asked,
    /// Something that has happened, so that it counts whatever the limit is.
    Used,
}

/// What one caller has used of a bucket, as a level that sinks by the limit's rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// In [`PARTS`] of a hit.
    used: u64,
    /// When that was so, in milliseconds since the epoch.
    at: u64,
}

impl Bucket {
    /// How many bytes it has as such.
    pub(super) const BYTES: usize = 16;

    /// Counts so many hits. None only ask whether more has been used than is allowed.
    ///
    /// What is denied takes nothing, or a client that asks in a loop would keep its own bucket empty. What has been used
    /// already always counts; a caller can owe what it gets back in a minute.
    pub fn take(
        &mut self,
        limit: &BucketLimit,
        (charge, hits): (Charge, u64),
        now: Duration,
    ) -> Verdict {
        let rate = u64::from(limit.per_minute);
        let size = limit.size();
        self.sink(rate, millis(now));
        let hits = hits.saturating_mul(PARTS);
        let after = self.used.saturating_add(hits);
        let is_over = after > size;
        self.used = match charge {
            Charge::Asked if is_over => self.used,
            Charge::Asked => after,
            Charge::Used => after.min(size + rate * PARTS),
        };
        let remaining = size.saturating_sub(self.used) / PARTS;
        // Until there is room for the same again, or for as much as can be.
        let wait = || time_for((self.used + hits.min(size)).saturating_sub(size), rate);
        Verdict {
            kind: limit.kind,
            limit: limit.per_minute,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            reset: time_for(self.used, rate),
            retry_after: is_over.then(wait),
        }
    }

    /// Takes back so many hits that were taken for something that is denied after all.
    pub fn give_back(&mut self, hits: u64) {
        self.used = self.used.saturating_sub(hits.saturating_mul(PARTS));
    }

    /// When it was asked for last, in milliseconds since the epoch.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Whether forgetting it changes nothing.
    #[must_use]
    pub fn is_idle(&self, now: Duration) -> bool {
        // Every bucket is full after two minutes: a burst of a minute at most, and as much that was owed.
        let since = millis(now).saturating_sub(self.at);
        self.used == 0 || since >= 2 * PARTS
    }

    /// The bucket as bytes, for a host that keeps it.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (used, at) = bytes.split_at_mut(8);
        used.copy_from_slice(&self.used.to_le_bytes());
        at.copy_from_slice(&self.at.to_le_bytes());
        bytes
    }

    /// The bucket in bytes that [`Self::to_bytes`] has made; a full one if they are something else.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        match bytes.as_chunks() {
            ([used, at], []) => Self {
                used: u64::from_le_bytes(*used),
                at: u64::from_le_bytes(*at),
            },
            _ => Self::default(),
        }
    }

    fn sink(&mut self, rate: u64, now: u64) {
        let since = now.saturating_sub(self.at);
        self.used = self.used.saturating_sub(since.saturating_mul(rate));
        // A clock that was set back gives nobody more.
        self.at = self.at.max(now);
    }
}

/// Milliseconds since the epoch.
pub(super) fn millis(now: Duration) -> u64 {
    let seconds = now.as_secs().saturating_mul(1_000);
    seconds.saturating_add(now.subsec_millis().into())
}

/// How long it takes until so much is given back; a minute if that never happens.
fn time_for(parts: u64, rate: u64) -> Duration {
    if rate == 0 {
        return Duration::from_millis(PARTS);
    }
    Duration::from_millis(parts.div_ceil(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1_000_000);

    const ASK: (Charge, u64) = (Charge::Asked, 1);

    fn limit(kind: LimitKind, per_minute: u32) -> BucketLimit {
        BucketLimit {
            kind,
            per_minute,
            burst_seconds: 60,
        }
    }

    fn at(millis: u64) -> Duration {
        START + Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_and_the_rest_at_the_rate() {
        let mut bucket = Bucket::default();
        let limit = BucketLimit {
            burst_seconds: 3,
            ..limit(LimitKind::Requests, 60)
        };
        let mut take = |millis, hits| bucket.take(&limit, (Charge::Asked, hits), at(millis));
        for left in [2, 1, 0] {
            assert_eq!(take(0, 1).remaining, left);
        }
        let denied = take(0, 1);
        assert_eq!(denied.retry_after, Some(Duration::from_secs(1)));
        assert_eq!(denied.reset, Duration::from_secs(3));
        // Asking in a loop does not put it off.
        assert_eq!(take(999, 1).retry_after, Some(Duration::from_millis(1)));
        assert!(!take(1_000, 1).is_over());
        assert!(take(1_001, 1).is_over());
        assert!(!take(1_001, 0).is_over());
        assert_eq!(take(60_000, 0).remaining, 3);
    }

    #[test]
    fn tokens_that_were_used_are_owed_for_a_minute_at_most() {
        let mut bucket = Bucket::default();
        let limit = limit(LimitKind::Tokens, 6_000);
        let mut take = |millis, charge, hits| bucket.take(&limit, (charge, hits), at(millis));
        assert_eq!(take(0, Charge::Asked, 5_000).remaining, 1_000);
        // An answer that was longer than what was left.
        assert!(take(0, Charge::Used, 4_000).is_over());
        let owed = take(0, Charge::Asked, 0);
        assert_eq!(owed.retry_after, Some(Duration::from_secs(30)));
        assert!(!take(30_000, Charge::Asked, 0).is_over());
        assert!(take(30_000, Charge::Used, 1_000_000_000).is_over());
        let owed = take(30_000, Charge::Asked, 0);
        assert_eq!(owed.retry_after, Some(Duration::from_secs(60)));
        assert!(!take(90_000, Charge::Asked, 0).is_over());
    }

    #[test]
    fn what_is_denied_takes_nothing() {
        let mut bucket = Bucket::default();
        let limit = limit(LimitKind::Tokens, 100);
        let mut ask = |millis, hits| bucket.take(&limit, (Charge::Asked, hits), at(millis));
        assert_eq!(ask(0, 60).remaining, 40);
        // Asking again and again does not put it off, nor does what can never fit.
        for millis in [0, 6_000, 6_000] {
            let wait = ask(millis, 60).retry_after.unwrap();
            assert_eq!(wait, Duration::from_millis(12_000 - millis));
            assert!(ask(millis, 1_000).is_over());
        }
        assert!(!ask(12_000, 60).is_over());
    }

    #[test]
    fn a_bucket_takes_one_at_least_unless_nothing_is_allowed() {
        let mut bucket = Bucket::default();
        let one = BucketLimit {
            burst_seconds: 1,
            ..limit(LimitKind::Requests, 1)
        };
        assert!(!bucket.take(&one, (Charge::Asked, 1), START).is_over());
        let none = limit(LimitKind::Requests, 0);
        let verdict = Bucket::default().take(&none, (Charge::Asked, 1), START);
        assert_eq!(verdict.retry_after, Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_clock_set_back_gives_nothing() {
        let mut bucket = Bucket::default();
        let limit = limit(LimitKind::Requests, 1);
        assert!(!bucket.take(&limit, ASK, START).is_over());
        assert!(bucket.take(&limit, ASK, Duration::ZERO).is_over());
        assert!(bucket.take(&limit, ASK, at(59_999)).is_over());
        assert!(!bucket.take(&limit, ASK, at(60_000)).is_over());
    }

    #[test]
    fn only_a_full_bucket_may_be_forgotten() {
        let mut bucket = Bucket::default();
        assert!(bucket.is_idle(START));
        bucket.take(&limit(LimitKind::Tokens, 10), (Charge::Used, 100), START);
        assert!(!bucket.is_idle(at(119_999)));
        assert!(bucket.is_idle(at(120_000)));
    }

    #[test]
    fn a_bucket_survives_as_bytes() {
        let mut bucket = Bucket::default();
        bucket.take(&limit(LimitKind::Tokens, 1_000), (Charge::Used, 300), START);
        assert_eq!(Bucket::of_bytes(&bucket.to_bytes()), bucket);
        for bytes in [&[][..], &[1; 15], &[1; 17], &[1; 24]] {
            assert_eq!(Bucket::of_bytes(bytes), Bucket::default());
        }
    }
}
