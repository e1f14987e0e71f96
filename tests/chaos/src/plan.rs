//! What happens in a run, determined by its seed alone.

use crate::dice::{Deck, Dice};
use crate::faults::clients::{self, Nuisance};
use crate::faults::control::{self, Change};
use crate::faults::upstream::{self, Trouble};

/// The plan for a seed: three lanes, which run side by side.
#[derive(Clone, Copy, Debug)]
pub struct Plan(pub u64);

impl Plan {
    /// What goes wrong in the regions.
    pub fn upstream(self) -> Deck<Trouble> {
        Deck::new(upstream::KINDS, 10..=80, Dice::new(self.0, 0))
    }

    /// What clients and administrators do.
    pub fn clients(self) -> Deck<Nuisance> {
        Deck::new(clients::KINDS, 20..=150, Dice::new(self.0, 1))
    }

    /// What happens to the control plane and the Envoys.
    pub fn control(self) -> Deck<Change> {
        Deck::new(control::KINDS, 10..=100, Dice::new(self.0, 2))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Debug;
    use std::mem::discriminant;

    use super::*;

    const STEPS: usize = 500;

    fn shown<T: Debug>(deck: Deck<T>) -> Vec<String> {
        deck.take(STEPS).map(|step| format!("{step:?}")).collect()
    }

    #[test]
    fn a_seed_always_gives_the_same_plan() {
        for seed in 0..20 {
            let plan = || Plan(seed);
            assert_eq!(shown(plan().upstream()), shown(plan().upstream()));
            assert_eq!(shown(plan().clients()), shown(plan().clients()));
            assert_eq!(shown(plan().control()), shown(plan().control()));
        }
    }

    #[test]
    fn seeds_have_different_plans() {
        let plans: HashSet<_> = (0..20).map(|seed| shown(Plan(seed).control())).collect();
        assert_eq!(plans.len(), 20);
    }

    #[test]
    fn every_kind_comes_once_in_every_round() {
        let mut control = Plan(1).control();
        let mut clients = Plan(1).clients();
        for _ in 0..10 {
            let round: Vec<_> = control.by_ref().take(control::KINDS.len()).collect();
            let kinds: HashSet<_> = round
                .iter()
                .map(|step| discriminant(&step.action))
                .collect();
            assert_eq!(kinds.len(), 10);
            let round: Vec<_> = clients.by_ref().take(clients::KINDS.len()).collect();
            let kinds: HashSet<_> = round
                .iter()
                .map(|step| discriminant(&step.action))
                .collect();
            assert_eq!(kinds.len(), 10);
        }
    }
}
