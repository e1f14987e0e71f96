//! One resource and one Envoy: what the Envoy was offered, accepted and refused.

use std::time::{Duration, Instant};

/// Time until the first repetition of what was refused; it doubles with each. Envoy does not report when
/// it has fetched a module for whose lack it refused a filter.
const MIN_RETRY: Duration = Duration::from_millis(100);

/// Longest time between two repetitions. Envoy remembers a failed fetch for about this long.
const MAX_RETRY: Duration = Duration::from_secs(15);

/// How long to wait after a filter was accepted without its module. It need not cover compiling the
/// module, during which an Envoy does not read.
const CONFIRM: Duration = Duration::from_millis(500);

/// A resource that the Envoy asks for.
#[derive(Clone, Debug)]
pub(super) struct Resource<T> {
    /// What the Envoy last accepted, on this stream or an earlier one, and runs.
    taken: Option<T>,
    state: State<T>,
    /// Whether it has answered anything.
    is_answered: bool,
}

/// How far the latest content has got.
#[derive(Clone, Debug)]
enum State<T> {
    /// Nothing is in flight.
    Settled,
    /// It was accepted, but perhaps without the module, and will be offered again.
    Unconfirmed {
        /// What was accepted.
        content: T,
        /// When to offer it again.
        again_at: Instant,
    },
    /// It was sent, but not answered yet.
    Offered {
        /// What was sent.
        content: T,
        /// The previous refusal, if nothing supersedes it.
        after: Option<Refusal<T>>,
    },
    /// It was refused; the Envoy keeps running what it had.
    Refused(Refusal<T>),
    /// The Envoy asks for what it may already have.
    Wanted,
}

/// A refusal that nothing has superseded.
#[derive(Clone, Debug)]
pub(super) struct Refusal<T> {
    pub(super) content: T,
    pub(super) reason: String,
    /// How often the content was refused in a row.
    pub(super) times: u32,
    /// When to offer it again.
    pub(super) again_at: Instant,
}

impl<T: Clone + PartialEq> Resource<T> {
    /// A resource that the Envoy has just started to ask for; `brought` is what it accepted on an
    /// earlier stream.
    ///
    /// It is offered in any case, because what accepted it may be gone, and something else may be
    /// asking instead.
    pub(super) fn new(brought: Option<T>) -> Self {
        Self {
            taken: brought,
            state: State::Wanted,
            is_answered: false,
        }
    }

    /// Whether the Envoy has answered anything on this stream.
    pub(super) fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// What the Envoy last accepted, and runs.
    pub(super) fn taken(&self) -> Option<&T> {
        self.taken.as_ref()
    }

    /// What was sent but not answered.
    pub(super) fn offered(&self) -> Option<&T> {
        match &self.state {
            State::Offered { content, .. } => Some(content),
            _ => None,
        }
    }

    /// The latest refusal, unless something was accepted after it.
    pub(super) fn refusal(&self) -> Option<&Refusal<T>> {
        match &self.state {
            State::Refused(refusal) => Some(refusal),
            State::Offered { after, .. } => after.as_ref(),
            _ => None,
        }
    }

    /// Whether the Envoy has `content`, and nothing else is in flight.
    pub(super) fn is_settled_at(&self, content: &T) -> bool {
        matches!(self.state, State::Settled | State::Wanted) && self.taken.as_ref() == Some(content)
    }

    /// Whether `content` must be sent.
    pub(super) fn is_due(&self, content: &T, now: Instant) -> bool {
        match &self.state {
            State::Offered { .. } => false,
            State::Wanted => true,
            State::Settled => self.taken.as_ref() != Some(content),
            State::Unconfirmed {
                content: taken,
                again_at,
            } => taken != content || *again_at <= now,
            State::Refused(refusal) => refusal.content != *content || refusal.again_at <= now,
        }
    }

    /// When something becomes due by itself.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        match &self.state {
            State::Unconfirmed { again_at, .. } => Some(*again_at),
            State::Refused(refusal) => Some(refusal.again_at),
            _ => None,
        }
    }

    /// The Envoy asks for it although it was sent: something new in it uses it.
    pub(super) fn wanted_again(&mut self) {
        if let State::Settled | State::Unconfirmed { .. } = self.state {
            self.state = State::Wanted;
        }
    }

    /// Records that `content` was sent.
    pub(super) fn offer(&mut self, content: T) {
        let after = match std::mem::replace(&mut self.state, State::Settled) {
            State::Refused(refusal) => Some(refusal),
            _ => None,
        };
        self.state = State::Offered { content, after };
    }

    /// Records that the Envoy accepted what was offered, and runs it.
    pub(super) fn taken_by_envoy(&mut self) {
        if let State::Offered { content, .. } = &self.state {
            self.taken = Some(content.clone());
            self.state = State::Settled;
            self.is_answered = true;
        }
    }

    /// Records that the Envoy accepted what was offered, although it may lack the module.
    pub(super) fn taken_without_module(&mut self, now: Instant) {
        if let State::Offered { content, .. } = &self.state {
            self.state = State::Unconfirmed {
                content: content.clone(),
                again_at: now + CONFIRM,
            };
            self.is_answered = true;
        }
    }

    /// Records that the Envoy refused what was offered; returns how often in a row.
    pub(super) fn refused_by_envoy(&mut self, reason: String, now: Instant) -> u32 {
        let State::Offered { content, after } = &self.state else {
            return 0;
        };
        let before = after.as_ref().filter(|before| before.content == *content);
        let times = before.map_or(1, |before| before.times.saturating_add(1));
        self.state = State::Refused(Refusal {
            content: content.clone(),
            reason,
            times,
            again_at: now + delay(times),
        });
        self.is_answered = true;
        times
    }
}

/// Time between the refusal with this number, counted from 1, and the repetition.
fn delay(refusals: u32) -> Duration {
    let factor = 2_u32.saturating_pow(refusals.saturating_sub(1));
    MIN_RETRY.saturating_mul(factor).min(MAX_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_a_limit() {
        let millis = [1, 2, 3, 7, 8, 9, u32::MAX].map(|refusals| delay(refusals).as_millis());
        assert_eq!(millis, [100, 200, 400, 6400, 12_800, 15_000, 15_000]);
    }

    #[test]
    fn accepted_content_is_not_due_until_it_changes() {
        let now = Instant::now();
        let mut resource = Resource::new(None);
        assert!(resource.is_due(&1, now));
        resource.offer(1);
        assert!(!resource.is_due(&1, now));
        assert!(!resource.is_due(&2, now), "one at a time");
        resource.taken_by_envoy();
        assert!(resource.is_settled_at(&1));
        assert!(!resource.is_due(&1, now));
        assert!(resource.is_due(&2, now));
        resource.wanted_again();
        assert!(resource.is_due(&1, now));
        assert!(resource.is_settled_at(&1));
    }

    #[test]
    fn content_from_an_earlier_stream_is_offered_once() {
        let now = Instant::now();
        let mut resource = Resource::new(Some(1));
        assert!(resource.is_settled_at(&1));
        assert!(resource.is_due(&1, now));
        resource.offer(1);
        resource.taken_by_envoy();
        assert!(!resource.is_due(&1, now));
    }

    #[test]
    fn refused_content_is_due_later_or_when_it_changes() {
        let now = Instant::now();
        let mut resource = Resource::new(Some(1));
        resource.offer(2);
        resource.refused_by_envoy("no".to_owned(), now);
        assert_eq!(resource.taken(), Some(&1));
        assert!(!resource.is_due(&2, now));
        assert!(resource.is_due(&2, now + MIN_RETRY));
        assert_eq!(resource.wakes_at(), Some(now + MIN_RETRY));
        // Even what it had, because it is not known what is left of that.
        assert!(resource.is_due(&1, now));
        resource.offer(2);
        assert!(resource.refusal().is_some(), "it still holds");
        assert_eq!(resource.refused_by_envoy("no".to_owned(), now), 2);
        resource.offer(3);
        assert_eq!(resource.refused_by_envoy("no".to_owned(), now), 1);
        resource.offer(3);
        resource.taken_by_envoy();
        assert!(resource.refusal().is_none());
    }

    #[test]
    fn content_accepted_without_a_module_is_offered_again() {
        let now = Instant::now();
        let mut resource = Resource::new(None);
        resource.offer(1);
        resource.taken_without_module(now);
        assert!(!resource.is_settled_at(&1));
        assert_eq!(resource.taken(), None);
        assert!(!resource.is_due(&1, now));
        assert!(resource.is_due(&1, now + CONFIRM));
        assert!(resource.is_due(&2, now));
    }
}
