//! Runs rounds of all variants in turn.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::bootstrap::Ports;
use crate::client;
use crate::envoy::Envoy;
use crate::load::Load;
use crate::variant::Variant;

/// What to run, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Loads, in order.
    pub loads: Vec<Load>,
    /// Variants besides passthrough, which always runs.
    pub variants: Vec<Variant>,
    /// Number of rounds that count.
    pub rounds: usize,
    /// Duration of one variant in one round.
    pub time: Duration,
}

/// The result of one variant in one round.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Requests answered.
    pub requests: usize,
    /// Envoy's processor time per request.
    pub cpu: Duration,
    /// Requests per second.
    pub rate: f64,
    /// Median latency.
    pub p50: Duration,
    /// Latency that one request in a hundred exceeds.
    pub p99: Duration,
}

/// All rounds of one load and variant.
#[derive(Clone, Debug)]
pub struct Series {
    /// The load.
    pub load: Load,
    /// The variant.
    pub variant: Variant,
    /// One for each round.
    pub samples: Vec<Sample>,
    /// Envoy's resident memory before the load's first round and after its last, in bytes.
    pub resident: (u64, u64),
}

/// Runs everything.
///
/// # Errors
///
/// When Envoy exits or an answer is wrong.
pub async fn run(plan: &Plan, envoy: &Envoy, ports: Ports) -> Result<Vec<Series>> {
    let mut all = Vec::new();
    for load in &plan.loads {
        eprintln!("{}", load.name());
        let before = envoy.resident()?;
        let mut series: Vec<_> = variants(plan)
            .map(|variant| Series {
                load: *load,
                variant,
                samples: Vec::new(),
                resident: (before, before),
            })
            .collect();
        // One round that does not count, to open connections and warm up code.
        for own in &series {
            sample(plan.time / 3, own, envoy, ports).await?;
        }
        for _ in 0..plan.rounds {
            for own in &mut series {
                let sample = sample(plan.time, own, envoy, ports).await?;
                own.samples.push(sample);
            }
        }
        let after = envoy.resident()?;
        for own in &mut series {
            own.resident.1 = after;
        }
        all.extend(series);
    }
    Ok(all)
}

fn variants(plan: &Plan) -> impl Iterator<Item = Variant> {
    let wanted = plan.variants.clone();
    Variant::ALL
        .into_iter()
        .filter(move |variant| *variant == Variant::Passthrough || wanted.contains(variant))
}

async fn sample(time: Duration, own: &Series, envoy: &Envoy, ports: Ports) -> Result<Sample> {
    let before = envoy.cpu()?;
    let start = std::time::Instant::now();
    let address = address(own.variant, ports);
    let mut latencies = client::run(address, own.load, own.variant, time).await?;
    let took = start.elapsed();
    let cpu = envoy.cpu()?.saturating_sub(before);
    ensure!(!latencies.is_empty(), "no request was answered in time");
    latencies.sort_unstable();
    let requests = latencies.len();
    let at = |share: usize| {
        let index = (requests * share / 100).min(requests - 1);
        latencies.get(index).copied().unwrap_or_default()
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    let rate = requests as f64 / took.as_secs_f64();
    Ok(Sample {
        requests,
        cpu: cpu / u32::try_from(requests)?,
        rate,
        p50: at(50),
        p99: at(99),
    })
}

fn address(variant: Variant, ports: Ports) -> SocketAddr {
    ([127, 0, 0, 1], variant.port(ports)).into()
}
