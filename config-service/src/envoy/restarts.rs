//! When Envoy is started again after it has ended by itself.

use std::time::Duration;

/// An Envoy that has run for this long had nothing wrong with its start.
const STABLE: Duration = Duration::from_secs(10);

/// After this many short lives in a row it is not started again.
const MAX_SHORT_LIVES: u32 = 5;

/// The first pause; it doubles with each short life.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Counts the short lives of Envoys.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    short_lives: u32,
}

impl Restarts {
    /// The pause before the next start after an Envoy that has lived for so long; `None` to give up.
    pub(super) fn after(&mut self, lived: Duration) -> Option<Duration> {
        if lived >= STABLE {
            self.short_lives = 0;
            return Some(FIRST_PAUSE);
        }
        self.short_lives += 1;
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.short_lives - 1);
        (self.short_lives < MAX_SHORT_LIVES).then_some(pause)
    }

    /// Short lives in a row.
    pub(super) fn short_lives(&self) -> u32 {
        self.short_lives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_it_is_given_up_and_a_long_life_starts_over() {
        let mut restarts = Restarts::default();
        let mut after = |seconds| {
            let pause = restarts.after(Duration::from_secs(seconds));
            pause.map(|pause| pause.as_millis())
        };
        assert_eq!([after(0), after(9)], [Some(250), Some(500)]);
        assert_eq!([after(10), after(3600)], [Some(250), Some(250)]);
        let short = [after(0), after(0), after(0), after(0), after(0)];
        assert_eq!(short, [Some(250), Some(500), Some(1000), Some(2000), None]);
    }
}
