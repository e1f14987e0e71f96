//! Settings of a run, from environment variables.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Seed of the short form.
const SEED: u64 = 1;

/// Seconds of the short form.
const SECONDS: f64 = 60.0;

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Determines what happens, and in which order.
    pub seed: u64,
    /// How long to inject faults; the checks afterwards take more time.
    pub length: Duration,
    /// How fast they follow each other.
    pub tempo: Tempo,
    /// File for the summary, in JSON.
    pub summary: Option<PathBuf>,
}

/// How fast things happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tempo {
    /// The plan's pauses are counted in answered requests, and clients never rest.
    Storm,
    /// They are counted in quarters of a second, and clients rest between requests.
    Gentle,
}

impl Settings {
    /// For the chaos suite: `CHAOS_SEED` and `CHAOS_SECONDS`.
    pub fn chaos() -> Self {
        Self {
            seed: variable("CHAOS_SEED").unwrap_or(SEED),
            length: Duration::from_secs_f64(variable("CHAOS_SECONDS").unwrap_or(SECONDS)),
            tempo: Tempo::Storm,
            summary: env::var_os("CHAOS_SUMMARY").map(Into::into),
        }
    }

    /// For the soak: `SOAK_HOURS`, and the rest as above.
    pub fn soak() -> Self {
        let hours: f64 = variable("SOAK_HOURS").unwrap_or(1.0);
        Self {
            length: Duration::from_secs_f64(hours * 3600.0),
            tempo: Tempo::Gentle,
            ..Self::chaos()
        }
    }
}

impl Tempo {
    /// Clients of each Envoy.
    pub fn clients(self) -> usize {
        match self {
            Self::Storm => 8,
            Self::Gentle => 4,
        }
    }

    /// How long a client rests between two requests.
    pub fn rest(self) -> Duration {
        match self {
            Self::Storm => Duration::ZERO,
            Self::Gentle => Duration::from_millis(200),
        }
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    let value = text.parse().ok();
    Some(value.unwrap_or_else(|| panic!("{name} is {text:?}, which is not a number")))
}
