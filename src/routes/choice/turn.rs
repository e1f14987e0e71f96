//! Whose turn it is among models with shares.

use std::sync::atomic::{AtomicU64, Ordering};

/// Shares of the requests, and how many there have been; of one worker.
#[derive(Debug)]
pub(super) struct Turn {
    shares: Vec<u32>,
    count: AtomicU64,
}

impl Turn {
    pub(super) fn new(shares: Vec<u32>) -> Self {
        Self {
            shares,
            count: AtomicU64::new(0),
        }
    }

    /// The place of the one whose turn it is: each gets its share, spread so that a burst does not go to one.
    pub(super) fn next(&self) -> usize {
        let total: u64 = self.shares.iter().copied().map(u64::from).sum();
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // A step without a common divisor visits every place of the round once.
        let mut left = count.wrapping_mul(step(total)) % total.max(1);
        for (place, share) in self.shares.iter().enumerate() {
            let share = u64::from(*share);
            if left < share {
                return place;
            }
            left -= share;
        }
        0
    }
}

/// About the golden ratio's part of a round, and without a divisor in common with it.
fn step(total: u64) -> u64 {
    let near = total.saturating_mul(618) / 1000;
    let common = |mut a: u64, mut b: u64| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (near.max(1)..=total.max(1))
        .find(|step| common(*step, total) == 1)
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gets_its_share_of_a_round() {
        for shares in [vec![3, 1], vec![1], vec![2, 2], vec![5, 3, 2], vec![10, 90]] {
            let total: u32 = shares.iter().sum();
            let turn = Turn::new(shares.clone());
            let mut seen = vec![0; shares.len()];
            for _ in 0..2 * total {
                seen[turn.next()] += 1;
            }
            let twice: Vec<_> = shares.iter().map(|share| 2 * share).collect();
            assert_eq!(seen, twice);
        }
    }

    #[test]
    fn turns_are_spread() {
        let turn = Turn::new(vec![50, 50]);
        let first: Vec<_> = (0..10).map(|_| turn.next()).collect();
        assert!(first.contains(&0) && first.contains(&1), "{first:?}");
    }
}
