//! One resource with one Envoy: what it was offered, took and refused.

use std::time::{Duration, Instant};

/// Time to the first repetition of what was refused; it doubles with each. Envoy does not say when it has
/// fetched the module that it refused a filter for.
const FIRST_RETRY: Duration = Duration::from_millis(100);

/// Longest time between two repetitions. Envoy remembers a failed fetch for about as long.
const LONGEST_RETRY: Duration = Duration::from_secs(15);

/// How long a filter that was taken without its module is left alone. While an Envoy compiles the module it
/// does not read, so this need not be long enough for that.
const CONFIRM: Duration = Duration::from_millis(500);

/// A resource that the Envoy asks for.
#[derive(Clone, Debug)]
pub(super) struct Resource<T> {
    /// What the Envoy took last, on this stream or an earlier one, and runs.
    taken: Option<T>,
    state: State<T>,
    /// Whether it has answered to anything.
    is_answered: bool,
}

/// How far the latest content got.
#[derive(Clone, Debug)]
enum State<T> {
    /// Nothing is under way.
    Settled,
    /// It was taken, but perhaps without the module, and is offered again.
    Unconfirmed {
        /// What was taken.
        content: T,
        /// When it is offered again.
        again_at: Instant,
    },
    /// It was sent, and not answered yet.
    Offered {
        /// What was sent.
        content: T,
        /// The refusal before it, as long as nothing supersedes it.
        after: Option<Refusal<T>>,
    },
    /// It was refused; the Envoy goes on with what it had.
    Refused(Refusal<T>),
    /// The Envoy asks for what it may have.
    Wanted,
}

/// A refusal that nothing has superseded.
#[derive(Clone, Debug)]
pub(super) struct Refusal<T> {
    pub(super) content: T,
    pub(super) reason: String,
    /// How often the content was refused in a row.
    pub(super) times: u32,
    /// When it is offered again.
    pub(super) again_at: Instant,
}

impl<T: Clone + PartialEq> Resource<T> {
    /// A resource that the Envoy has just begun to ask for; `brought` is what it took on an earlier stream.
    ///
    /// It is offered in any case: what took it may be gone since, and something else ask in its place.
    pub(super) fn new(brought: Option<T>) -> Self {
        Self {
            taken: brought,
            state: State::Wanted,
            is_answered: false,
        }
    }

    /// Whether the Envoy has answered to anything on this stream.
    pub(super) fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// What the Envoy took last, and runs.
    pub(super) fn taken(&self) -> Option<&T> {
        self.taken.as_ref()
    }

    /// What was sent and not answered.
    pub(super) fn offered(&self) -> Option<&T> {
        match &self.state {
            State::Offered { content, .. } => Some(content),
            _ => None,
        }
    }

    /// The latest refusal, unless something was taken after it.
    pub(super) fn refusal(&self) -> Option<&Refusal<T>> {
        match &self.state {
            State::Refused(refusal) => Some(refusal),
            State::Offered { after, .. } => after.as_ref(),
            _ => None,
        }
    }

    /// Whether the Envoy has `content`, and nothing else is under way.
    pub(super) fn is_settled_at(&self, content: &T) -> bool {
        matches!(self.state, State::Settled | State::Wanted) && self.taken.as_ref() == Some(content)
    }

    /// Whether `content` is to be sent.
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

    /// The Envoy asks for it although it was sent: something in it uses it anew.
    pub(super) fn wanted_again(&mut self) {
        if let State::Settled | State::Unconfirmed { .. } = self.state {
            self.state = State::Wanted;
        }
    }

    /// `content` is on its way.
    pub(super) fn offer(&mut self, content: T) {
        let after = match std::mem::replace(&mut self.state, State::Settled) {
            State::Refused(refusal) => Some(refusal),
            _ => None,
        };
        self.state = State::Offered { content, after };
    }

    /// The Envoy has taken what was offered, and runs it.
    pub(super) fn taken_by_envoy(&mut self) {
        if let State::Offered { content, .. } = &self.state {
            self.taken = Some(content.clone());
            self.state = State::Settled;
            self.is_answered = true;
        }
    }

    /// The Envoy has taken what was offered, although it may lack the module.
    pub(super) fn taken_without_module(&mut self, now: Instant) {
        if let State::Offered { content, .. } = &self.state {
            self.state = State::Unconfirmed {
                content: content.clone(),
                again_at: now + CONFIRM,
            };
            self.is_answered = true;
        }
    }

    /// The Envoy has refused what was offered; how often in a row.
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

/// Time between the refusal with this number, from 1, and the repetition.
fn delay(refusals: u32) -> Duration {
    let factor = 2_u32.saturating_pow(refusals.saturating_sub(1));
    FIRST_RETRY.saturating_mul(factor).min(LONGEST_RETRY)
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
    fn what_is_taken_is_not_due_until_it_changes() {
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
    fn what_was_brought_is_offered_once() {
        let now = Instant::now();
        let mut resource = Resource::new(Some(1));
        assert!(resource.is_settled_at(&1));
        assert!(resource.is_due(&1, now));
        resource.offer(1);
        resource.taken_by_envoy();
        assert!(!resource.is_due(&1, now));
    }

    #[test]
    fn what_is_refused_is_due_later_or_when_it_changes() {
        let now = Instant::now();
        let mut resource = Resource::new(Some(1));
        resource.offer(2);
        resource.refused_by_envoy("no".to_owned(), now);
        assert_eq!(resource.taken(), Some(&1));
        assert!(!resource.is_due(&2, now));
        assert!(resource.is_due(&2, now + FIRST_RETRY));
        assert_eq!(resource.wakes_at(), Some(now + FIRST_RETRY));
        // Even what it had: nobody knows what is left of that.
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
    fn what_is_taken_without_a_module_is_offered_again() {
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
