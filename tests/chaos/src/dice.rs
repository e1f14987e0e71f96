//! Chance that repeats itself: the same seed gives the same throws.

use std::ops::RangeInclusive;

/// Throws of one lane of a plan.
#[derive(Clone, Debug)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// Dice of a seed; lanes of one seed throw differently.
    pub fn new(seed: u64, lane: u64) -> Self {
        let mut lanes = fastrand::Rng::with_seed(seed);
        let mut own = lanes.fork();
        for _ in 0..lane {
            own = lanes.fork();
        }
        Self(own)
    }

    /// A number of a range.
    pub fn number(&mut self, range: RangeInclusive<u32>) -> u32 {
        self.0.u32(range)
    }

    /// One of several.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.usize(..choices.len())]
    }
}

/// Makes one kind of action, with chance in its details.
pub type Kind<T> = fn(&mut Dice) -> T;

/// What is done next, and how much later than the one before.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<T> {
    /// What is done.
    pub action: T,
    /// What passes before it, in units of [`crate::settings::Tempo`].
    pub pause: u32,
}

/// Actions without end: every kind comes once, in any order, before one comes again.
#[derive(Clone, Debug)]
pub struct Deck<T: 'static> {
    kinds: &'static [Kind<T>],
    left: Vec<Kind<T>>,
    pause: RangeInclusive<u32>,
    dice: Dice,
}

impl<T> Deck<T> {
    /// A deck of these kinds with pauses of such lengths.
    pub fn new(kinds: &'static [Kind<T>], pause: RangeInclusive<u32>, dice: Dice) -> Self {
        Self {
            kinds,
            left: Vec::new(),
            pause,
            dice,
        }
    }
}

impl<T> Iterator for Deck<T> {
    type Item = Step<T>;

    fn next(&mut self) -> Option<Step<T>> {
        if self.left.is_empty() {
            self.left = self.kinds.to_vec();
            self.dice.0.shuffle(&mut self.left);
        }
        let kind = self.left.pop()?;
        Some(Step {
            action: kind(&mut self.dice),
            pause: self.dice.number(self.pause.clone()),
        })
    }
}
