//! Repeatable randomness: the same seed gives the same throws.

use std::ops::RangeInclusive;

/// The random numbers of one lane of a plan.
#[derive(Clone, Debug)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// Dice for a seed; different lanes with the same seed throw differently.
    pub fn new(seed: u64, lane: u64) -> Self {
        let mut lanes = fastrand::Rng::with_seed(seed);
        let mut own = lanes.fork();
        for _ in 0..lane {
            own = lanes.fork();
        }
        Self(own)
    }

    /// A number in a range.
    pub fn number(&mut self, range: RangeInclusive<u32>) -> u32 {
        self.0.u32(range)
    }

    /// One of several.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.usize(..choices.len())]
    }
}

/// Makes one kind of action, with random details.
pub type Kind<T> = fn(&mut Dice) -> T;

/// An action, and how long after the previous one it happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<T> {
    /// The action.
    pub action: T,
    /// The pause before it, in units of [`crate::settings::Tempo`].
    pub pause: u32,
}

/// Endless actions: every kind comes once, in any order, before any comes again.
#[derive(Clone, Debug)]
pub struct Deck<T: 'static> {
    kinds: &'static [Kind<T>],
    left: Vec<Kind<T>>,
    pause: RangeInclusive<u32>,
    dice: Dice,
}

impl<T> Deck<T> {
    /// A deck of these kinds, with pauses in this range.
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
