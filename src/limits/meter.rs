//! One request, from its start to its end.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::bucket::Charge;
use super::counters::Counters;
use super::denial::Denial;
use super::limiter;
use super::sheet::{Lease, Ruling, Sheet};
use crate::chat::{LimitKind, Standing};
use crate::config::{CallerLimits, LimitMode};

/// Most that Envoy's rate limit filter counts at once. It leaves out a descriptor that asks for more, and with it the
/// limit.
const MOST: u64 = 1_000_000_000;

/// What a request takes from its caller's limits.
#[derive(Debug)]
pub struct Meter {
    account: Arc<Account>,
    limits: CallerLimits,
    mode: LimitMode,
    /// Tokens that it takes at its start.
    reserved: u64,
    lease: Option<Lease>,
    standings: Vec<Standing>,
    state: State,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has taken nothing yet.
    Idle,
    /// It has taken what it reserves.
    Charged,
    /// Envoy's rate limit filter did not let it pass.
    Refused,
    /// It was denied by this Envoy, or has been settled.
    Over,
}

/// What a request has used, as whoever reads the answer learns it.
#[derive(Debug, Default)]
pub struct Tally {
    /// The tokens of the whole exchange.
    total: Cell<Option<u64>>,
    /// The events of its stream.
    events: Cell<u64>,
}

impl Tally {
    /// Notes the tokens of the whole exchange.
    pub fn used(&self, tokens: u64) {
        self.total.set(Some(tokens));
    }

    /// Notes that so many events of a stream have come, each of which has a token at least.
    pub fn streamed(&self, events: u64) {
        self.events.set(events);
    }
}

impl Meter {
    /// A request of a caller, which has taken nothing yet; `None` if no limit concerns it.
    #[must_use]
    pub fn new(account: &Arc<Account>, limits: CallerLimits, mode: LimitMode) -> Option<Self> {
        let counts = match mode {
            LimitMode::Off => false,
            LimitMode::Local | LimitMode::Shared => !limits.is_unlimited(),
        };
        counts.then(|| Self {
            account: Arc::clone(account),
            limits,
            mode,
            reserved: 0,
            lease: None,
            standings: Vec::new(),
            state: State::Idle,
        })
    }

    /// Whether the request's length matters.
    #[must_use]
    pub fn counts_tokens(&self) -> bool {
        self.limits.tpm.is_some()
    }

    /// Says how long the request's text is, in bytes.
    ///
    /// It takes less at its start than it will use, because what is too much cannot be given back.
    pub fn set_text(&mut self, bytes: usize) {
        let tokens = u64::try_from(bytes / BYTES_PER_TOKEN).unwrap_or(MOST);
        self.reserved = tokens.min(MOST);
    }

    /// Takes what the request needs at its start; `now` is the time since the epoch.
    ///
    /// # Errors
    ///
    /// When a limit is reached that this Envoy counts by itself.
    pub fn admit(&mut self, counters: &dyn Counters, now: Duration) -> Result<(), Denial> {
        let limits = self.own_limits();
        if let Some(denial) = self.too_long(limits.tpm) {
            self.state = State::Over;
            return Err(denial);
        }
        let mut ruling = Ruling::default();
        if !limits.is_unlimited() {
            counters.update(self.account.key(), &mut |value| {
                ruling = Sheet::of(value).admit(&limits, self.reserved, now);
            });
        }
        self.lease = ruling.lease;
        self.standings = ruling.standings;
        if let Some(denial) = ruling.denial {
            self.state = State::Over;
            return Err(denial);
        }
        self.state = State::Charged;
        Ok(())
    }

    /// Why a prompt is denied that has more tokens than the whole limit, so that it would be denied at any time.
    fn too_long(&self, tpm: Option<u32>) -> Option<Denial> {
        let limit = tpm.filter(|limit| self.reserved > (*limit).into())?;
        Some(Denial::TooLong {
            tokens: self.reserved,
            limit,
        })
    }

    /// The limits that this Envoy counts by itself.
    fn own_limits(&self) -> CallerLimits {
        match self.mode {
            LimitMode::Local => self.limits,
            LimitMode::Off | LimitMode::Shared => CallerLimits {
                rpm: None,
                tpm: None,
                ..self.limits
            },
        }
    }

    /// What Envoy's rate limit filter has to know, as properties of the stream.
    #[must_use]
    pub fn claims(&self) -> Vec<(&'static str, String)> {
        if self.mode != LimitMode::Shared || self.state != State::Charged {
            return Vec::new();
        }
        let limits = [("rl.rpm", self.limits.rpm), ("rl.tpm", self.limits.tpm)];
        let limits = limits.into_iter();
        let mut claims: Vec<_> = limits
            .filter_map(|(name, limit)| Some((name, limit?.to_string())))
            .collect();
        if claims.is_empty() {
            return claims;
        }
        if self.limits.tpm.is_some() {
            claims.push(("rl.reserve", self.reserved.to_string()));
        }
        claims.push(("rl.caller", self.account.caller().to_owned()));
        claims
    }

    /// Whether Envoy's rate limit filter has been asked.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        let is_limited = self.limits.rpm.is_some() || self.limits.tpm.is_some();
        self.mode == LimitMode::Shared && self.state == State::Charged && is_limited
    }

    /// Why Envoy's rate limit filter does not let the request pass, from the details of its reply; `None` if the reply is
    /// not its own.
    pub fn refused(&mut self, details: &[u8], retry_after: Option<Duration>) -> Option<Denial> {
        let denial = match details {
            limiter::OVER_LIMIT => {
                let own = Denial::Shared {
                    rpm: self.limits.rpm,
                    tpm: self.limits.tpm,
                    retry_after,
                };
                self.too_long(self.limits.tpm).unwrap_or(own)
            }
            limiter::NO_ANSWER => Denial::Unknown,
            _ => return None,
        };
        self.state = State::Refused;
        Some(denial)
    }

    /// Notes what Envoy's rate limit filter says in the headers of an answer.
    pub fn note<'h>(&mut self, header: impl Fn(&str) -> Option<&'h str>) {
        if self.mode == LimitMode::Shared {
            self.standings = limiter::standings(header);
        }
    }

    /// How the caller stands with its limits, as far as that is known.
    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Takes the rest of what was used; what Envoy's rate limit filter has to know of it, as a property of the stream.
    /// `now` is the time since the epoch.
    pub fn settle(
        &mut self,
        tally: &Tally,
        counters: &dyn Counters,
        now: Duration,
    ) -> Option<(&'static str, String)> {
        let state = std::mem::replace(&mut self.state, State::Over);
        let tokens = match state {
            State::Charged => self.limits.tpm.map(|limit| (limit, self.rest(tally))),
            State::Idle | State::Refused | State::Over => None,
        };
        let is_local = self.mode == LimitMode::Local;
        self.settle_here(counters, tokens.filter(|_| is_local), now);
        match state {
            // Nothing more is taken. Without a number, Envoy's filter warns of its absence for each such request.
            State::Refused if self.limits.tpm.is_some() => Some(("rl.rest", "0".to_owned())),
            _ => {
                let (_, rest) = tokens.filter(|_| !is_local)?;
                Some(("rl.rest", rest.to_string()))
            }
        }
    }

    /// Settles what this Envoy counts by itself: the request's place, and the rest of its tokens with their limit.
    fn settle_here(&mut self, counters: &dyn Counters, tokens: Option<(u32, u64)>, now: Duration) {
        let lease = self.lease.take();
        let tokens = tokens.filter(|(_, rest)| *rest > 0);
        if lease.is_none() && tokens.is_none() {
            return;
        }
        counters.update(self.account.key(), &mut |value| {
            let mut sheet = Sheet::of(value);
            if let Some((per_minute, rest)) = tokens {
                let limit = (LimitKind::Tokens, per_minute);
                sheet.take(limit, (Charge::Used, rest), now);
            }
            if let Some(lease) = lease {
                sheet.give_back(lease);
            }
        });
    }

    /// Tokens that were used and are not taken yet. Where nobody knows how many were used, those that were streamed.
    fn rest(&self, tally: &Tally) -> u64 {
        let rest = match tally.total.get() {
            Some(total) => total.saturating_sub(self.reserved),
            None => tally.events.get(),
        };
        rest.min(MOST)
    }
}

/// Bytes of text that make a token at most.
const BYTES_PER_TOKEN: usize = 4;

#[cfg(test)]
mod tests;
