//! A long mixed load, which checks that Envoy's memory stays where it was after a minute.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::bootstrap::Ports;
use crate::client;
use crate::envoy::Envoy;
use crate::load::Load;
use crate::variant::Variant;

/// Duration of one load before the next takes its turn.
const TURN: Duration = Duration::from_secs(2);

/// How much resident memory may grow after the first minute.
const GROWTH: f64 = 1.10;

/// Runs all loads in turn and prints resident memory every minute.
///
/// # Errors
///
/// When Envoy exits or an answer is wrong.
pub async fn run(
    minutes: u64,
    variants: &[Variant],
    envoy: &Envoy,
    ports: Ports,
) -> Result<Verdict> {
    let start = Instant::now();
    let mut verdict = Verdict::default();
    let filtered: Vec<_> = variants.iter().filter(|own| own.is_filtered()).collect();
    for minute in 1..=minutes {
        while start.elapsed() < Duration::from_secs(60 * minute) {
            for (load, variant) in Load::ALL.iter().zip(filtered.iter().cycle()) {
                let address = ([127, 0, 0, 1], variant.port(ports)).into();
                client::run(address, *load, **variant, TURN).await?;
            }
        }
        verdict.last = envoy.resident()?;
        if minute == 1 {
            verdict.first = verdict.last;
        }
        println!("minute {minute}: {} MB resident", verdict.last / 1_000_000);
    }
    Ok(verdict)
}

/// Resident memory after the first minute and at the end, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdict {
    first: u64,
    last: u64,
}

impl Verdict {
    /// Whether memory stayed within ten per cent.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
    pub fn is_flat(self) -> bool {
        self.last as f64 <= self.first as f64 * GROWTH
    }
}
