//! What was going on while a request was in flight, so that its effects can be distinguished from defects.

use std::sync::atomic::{AtomicU64, Ordering};

/// The Envoys that clients use.
pub const ENVOYS: usize = 2;

/// A region of Bedrock, with one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// First choice. Has static credentials, which are rotated.
    A,
    /// Second choice, with another model family behind the name. Has credentials from STS.
    B,
    /// Last choice, and always up: nothing fails in it before the first word.
    C,
    /// Comes and goes. Has short-term API keys.
    D,
}

impl Name {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    /// Name of its channel.
    pub fn channel(self) -> &'static str {
        ["a", "b", "c", "d"][self as usize]
    }
}

/// A condition that starts and ends again and again; counts starts and ends.
#[derive(Debug, Default)]
pub struct Period(AtomicU64);

impl Period {
    /// Starts it.
    pub fn begin(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends it.
    pub fn end(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether it is going on.
    fn lasts(&self) -> bool {
        self.look() % 2 == 1
    }

    fn look(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Whether it was going on at any time since an observation.
    fn lasted_since(&self, look: u64) -> bool {
        look % 2 == 1 || self.look() != look
    }
}

/// All conditions.
#[derive(Debug, Default)]
pub struct Weather {
    /// Requests may have only one attempt, because failover is off or being turned on or off.
    pub single: Period,
    /// An Envoy is dead, or not up yet.
    pub dead: [Period; ENVOYS],
    /// Connections to a region break, or are refused; by the region's number.
    pub unreachable: [Period; Name::ALL.len()],
}

/// An observation of the weather.
#[derive(Debug)]
pub struct Look {
    envoy: usize,
    single: u64,
    dead: u64,
    unreachable: [u64; Name::ALL.len()],
}

/// What a request experienced.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Felt {
    /// There may have been only one attempt.
    pub single: bool,
    /// Its Envoy died.
    pub dead: bool,
    /// Connections to a region broke.
    pub unreachable: bool,
}

impl Weather {
    /// The current weather for an Envoy's clients.
    pub fn look(&self, envoy: usize) -> Look {
        Look {
            envoy,
            single: self.single.look(),
            dead: self.dead[envoy].look(),
            unreachable: self.unreachable.each_ref().map(Period::look),
        }
    }

    /// Whether connections to a region may break: its own do, or an Envoy dies.
    pub fn breaks(&self, region: Name) -> bool {
        let own = &self.unreachable[region as usize];
        own.lasts() || self.dead.iter().any(Period::lasts)
    }

    /// What has happened since an observation.
    pub fn since(&self, look: &Look) -> Felt {
        let mut regions = self.unreachable.iter().zip(look.unreachable);
        Felt {
            single: self.single.lasted_since(look.single),
            dead: self.dead[look.envoy].lasted_since(look.dead),
            unreachable: regions.any(|(region, look)| region.lasted_since(look)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_experiences_whatever_happens_during_its_life() {
        let weather = Weather::default();
        let (before, elsewhere) = (weather.look(1), weather.look(0));
        assert_eq!(weather.since(&before), Felt::default());
        weather.dead[1].begin();
        let within = weather.look(1);
        weather.dead[1].end();
        assert!(weather.since(&before).dead && weather.since(&within).dead);
        assert_eq!(weather.since(&weather.look(1)), Felt::default());
        assert_eq!(weather.since(&elsewhere), Felt::default());
    }

    #[test]
    fn connections_break_when_a_region_is_down_or_an_envoy_dies() {
        let weather = Weather::default();
        assert!(!weather.breaks(Name::A));
        weather.unreachable[Name::A as usize].begin();
        assert!(weather.breaks(Name::A) && !weather.breaks(Name::B));
        weather.unreachable[Name::A as usize].end();
        weather.dead[1].begin();
        assert!(weather.breaks(Name::A) && weather.breaks(Name::B));
    }
}
