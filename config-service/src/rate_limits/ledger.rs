//! What every caller has used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bedrock_filter::chat::LimitKind;
use bedrock_filter::limits::{Bucket, BucketLimit, Charge, Verdict};

use super::window::Window;
use super::{Limit, MAX_HITS, Pace, Paces};

/// Callers that are remembered at once for each kind of limit. Beyond that, those who asked least recently get their
/// minute anew.
pub const MAX_CALLERS: usize = 200_000;

/// Below so many, nothing is looked for that could be forgotten.
const FEW: usize = 1_024;

/// What every caller has used of its limits. Clones share it.
#[derive(Clone, Debug)]
pub struct RateLimits {
    ledgers: Arc<Mutex<Ledgers>>,
}

#[derive(Debug)]
struct Ledgers {
    requests: Ledger,
    tokens: Ledger,
}

impl Ledgers {
    fn of(&mut self, kind: LimitKind) -> &mut Ledger {
        match kind {
            LimitKind::Requests => &mut self.requests,
            LimitKind::Tokens => &mut self.tokens,
        }
    }
}

impl RateLimits {
    /// Nothing used yet.
    #[must_use]
    pub fn new(paces: Paces) -> Self {
        let ledgers = Ledgers {
            requests: Ledger::new(paces.requests, MAX_CALLERS),
            tokens: Ledger::new(paces.tokens, MAX_CALLERS),
        };
        Self {
            ledgers: Arc::new(Mutex::new(ledgers)),
        }
    }

    /// Counts what is asked for each limit, all in one step; `now` is the time since the epoch.
    ///
    /// A caller has one count of each kind, whatever its limit: it goes on when an administrator changes the limit.
    ///
    /// Envoy asks before a request about all limits of its caller, and after it about tokens alone, which have been used
    /// then. So only who asks about requests asks for something that can still be denied. Of a caller that has no limit on
    /// requests nobody can tell, and its tokens always count.
    #[must_use]
    pub fn take(&self, asked: &[(Limit<'_>, u64)], now: Duration) -> Vec<Verdict> {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        let asks = asked
            .iter()
            .any(|(limit, _)| limit.kind == LimitKind::Requests);
        let charge = if asks { Charge::Asked } else { Charge::Used };
        let verdicts = asked.iter().map(|(limit, hits)| {
            let ledger = ledgers.of(limit.kind);
            ledger.take(limit, (charge, (*hits).min(MAX_HITS)), now)
        });
        let mut verdicts: Vec<_> = verdicts.collect();
        if asks && verdicts.iter().any(Verdict::is_over) {
            for ((limit, hits), verdict) in asked.iter().zip(&mut verdicts) {
                if !verdict.is_over() {
                    let ledger = ledgers.of(limit.kind);
                    *verdict = ledger.give_back(limit, (*hits).min(MAX_HITS), now);
                }
            }
        }
        verdicts
    }
}

/// The counts of one kind, by caller.
#[derive(Debug)]
struct Ledger {
    pace: Pace,
    counts: HashMap<Box<str>, Count>,
    most: usize,
    /// How many there may be before it is worth looking for some to forget.
    room: usize,
}

/// What one caller has used.
#[derive(Clone, Copy, Debug)]
enum Count {
    Minute(Window),
    Bucket { bucket: Bucket, burst_seconds: u32 },
}

impl Count {
    fn new(pace: Pace) -> Self {
        match pace {
            Pace::Minute => Self::Minute(Window::default()),
            Pace::Bucket { burst_seconds } => Self::Bucket {
                bucket: Bucket::default(),
                burst_seconds,
            },
        }
    }

    fn take(&mut self, limit: &Limit<'_>, charge: (Charge, u64), now: Duration) -> Verdict {
        match self {
            // What is denied counts here too, as in `envoyproxy/ratelimit`.
            Self::Minute(window) => window.take(limit, charge.1, now),
            Self::Bucket {
                bucket,
                burst_seconds,
            } => bucket.take(&bucket_limit(limit, *burst_seconds), charge, now),
        }
    }

    /// Takes back what was just taken, because another limit denies the request.
    fn give_back(&mut self, limit: &Limit<'_>, hits: u64, now: Duration) -> Verdict {
        if let Self::Bucket { bucket, .. } = self {
            bucket.give_back(hits);
        }
        self.take(limit, (Charge::Asked, 0), now)
    }

    fn is_idle(&self, now: Duration) -> bool {
        match self {
            Self::Minute(window) => window.is_idle(now),
            Self::Bucket { bucket, .. } => bucket.is_idle(now),
        }
    }

    /// When it was asked for last, in milliseconds since the epoch, or at the start of that minute.
    fn at(&self) -> u64 {
        match self {
            Self::Minute(window) => window.at(),
            Self::Bucket { bucket, .. } => bucket.at(),
        }
    }
}

fn bucket_limit(limit: &Limit<'_>, burst_seconds: u32) -> BucketLimit {
    BucketLimit {
        kind: limit.kind,
        per_minute: limit.per_minute,
        burst_seconds,
    }
}

impl Ledger {
    fn new(pace: Pace, most: usize) -> Self {
        Self {
            pace,
            counts: HashMap::new(),
            most,
            room: most.min(FEW),
        }
    }

    fn take(&mut self, limit: &Limit<'_>, charge: (Charge, u64), now: Duration) -> Verdict {
        self.count(limit, now).take(limit, charge, now)
    }

    fn give_back(&mut self, limit: &Limit<'_>, hits: u64, now: Duration) -> Verdict {
        self.count(limit, now).give_back(limit, hits, now)
    }

    /// What the limit's caller has used.
    fn count(&mut self, limit: &Limit<'_>, now: Duration) -> &mut Count {
        let pace = self.pace;
        if !self.counts.contains_key(limit.caller) {
            self.make_room(now);
        }
        let count = self.counts.entry(limit.caller.into());
        count.or_insert_with(|| Count::new(pace))
    }

    /// Forgets what makes no difference any more; if that is not enough, who asked least recently.
    fn make_room(&mut self, now: Duration) {
        if self.counts.len() < self.room {
            return;
        }
        self.counts.retain(|_, count| !count.is_idle(now));
        if self.counts.len() >= self.most {
            self.forget(self.most / 8 + 1);
            tracing::warn!(
                callers = self.most,
                "more callers have limits than can be remembered; some get their minute anew"
            );
        }
        self.room = (self.counts.len() * 2).clamp(FEW.min(self.most), self.most);
    }

    fn forget(&mut self, number: usize) {
        let mut times: Vec<_> = self.counts.values().map(Count::at).collect();
        let (_, latest, _) = times.select_nth_unstable(number.min(self.counts.len()) - 1);
        let (latest, mut left) = (*latest, number);
        self.counts.retain(|_, count| {
            let goes = count.at() <= latest && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests;
