//! What has happened so far: requests and their attempts, the weather, and violations.

mod judge;
mod ledger;
mod tally;
mod weather;

pub use judge::{Case, End, TIMEOUT};
pub use ledger::{Ledger, MISTYPED, PROMPT_MARK, words};
pub use tally::Tally;
pub use weather::{ENVOYS, Name, Weather};

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::wait::DEADLINE;

const POLL: Duration = Duration::from_millis(20);

/// Shared by everything that takes part in a run.
#[derive(Debug)]
pub struct Story {
    /// Attempts of requests.
    pub ledger: Ledger,
    /// What is going on.
    pub weather: Weather,
    /// How requests ended.
    pub tally: Tally,
    began: Instant,
    faults: Mutex<Vec<String>>,
    steps: Mutex<Vec<String>>,
    sizes: Mutex<Vec<String>>,
    numbers: AtomicU64,
    answered: AtomicU64,
    over: AtomicBool,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            ledger: Ledger::default(),
            weather: Weather::default(),
            tally: Tally::default(),
            began: Instant::now(),
            faults: Mutex::default(),
            steps: Mutex::default(),
            sizes: Mutex::default(),
            numbers: AtomicU64::new(1),
            answered: AtomicU64::default(),
            over: AtomicBool::default(),
        }
    }
}

impl Story {
    /// A number that no other request has.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Records that a request ended as it may.
    pub fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests have ended so far.
    pub fn answers(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits until this many more requests have ended, or the run is over.
    pub async fn wait_answered(&self, more: u32) {
        let (goal, began) = (self.answers() + u64::from(more), Instant::now());
        while self.answers() < goal && !self.is_over() {
            if began.elapsed() > DEADLINE {
                return self.broken(format!("no {more} answers within {DEADLINE:?}"));
            }
            sleep(POLL).await;
        }
    }

    /// How long the run has lasted.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Records a step, for whoever looks for the cause of a fault.
    pub fn note(&self, step: &impl std::fmt::Debug) {
        let line = format!("{:8.2} s {step:?}", self.elapsed().as_secs_f64());
        self.steps.lock().expect("no panic").push(line);
    }

    /// Records a memory measurement.
    pub fn measured(&self, size: String) {
        self.sizes.lock().expect("no panic").push(size);
    }

    /// The memory measurements.
    pub fn sizes(&self) -> Vec<String> {
        self.sizes.lock().expect("no panic").clone()
    }

    /// The steps taken.
    pub fn steps(&self) -> Vec<String> {
        self.steps.lock().expect("no panic").clone()
    }

    /// Records a violation. The run ends, so that the logs end with it.
    pub fn broken(&self, what: impl Into<String>) {
        let at = self.elapsed().as_secs_f64();
        let line = format!("{at:8.2} s {}", what.into());
        self.faults.lock().expect("no panic").push(line);
        self.end();
    }

    /// The violations.
    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().expect("no panic").clone()
    }

    /// Ends faults and load.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
