//! The choice between channels: by priority, then by weight.

use std::cell::Cell;

use crate::routes::Route;

/// How many choices there have been; decides between channels of one priority.
#[derive(Debug, Default)]
pub(super) struct Turns(Cell<u64>);

impl Turns {
    /// One of the best candidates that are not cooling down, or of all if every one is: better a channel that
    /// failed lately than none.
    pub(super) fn pick<'a, 'r>(
        &self,
        candidates: &[&'a Route<'r>],
        is_cooling_down: impl Fn(&Route<'r>) -> bool,
    ) -> Option<&'a Route<'r>> {
        let mut best: Vec<_> = candidates
            .iter()
            .copied()
            .filter(|own| !is_cooling_down(own))
            .collect();
        if best.is_empty() {
            best = candidates.to_vec();
        }
        let priority = |own: &Route<'_>| own.channel.channel.priority;
        let highest = best.iter().map(|own| priority(own)).min();
        best.retain(|own| Some(priority(own)) == highest);
        self.weighted(&best)
    }

    /// Each channel gets its share of the turns, spread so that a burst does not go to one channel.
    fn weighted<'a, 'r>(&self, routes: &[&'a Route<'r>]) -> Option<&'a Route<'r>> {
        let weight = |own: &Route<'_>| u64::from(own.channel.channel.weight);
        let total: u64 = routes.iter().map(|own| weight(own)).sum();
        let turn = self.0.replace(self.0.get().wrapping_add(1));
        let mut left = spread(turn) % total.max(1);
        for own in routes {
            if left < weight(own) {
                return Some(own);
            }
            left -= weight(own);
        }
        routes.first().copied()
    }
}

/// Spreads consecutive numbers evenly (the finaliser of `SplitMix64`,
/// <https://doi.org/10.1145/2714064.2660195>).
fn spread(turn: u64) -> u64 {
    let mixed = turn.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
