//! Measures; `cargo xtask bench` builds and runs it with an Envoy and a module.

#![allow(clippy::print_stdout, reason = "a command line tool prints")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use load::bootstrap::{Ports, bootstrap};
use load::envoy::Envoy;
use load::load::Load;
use load::rounds::{self, Plan};
use load::variant::Variant;
use load::{rate_limit, report, soak, upstream};

/// Measures what the filter costs Envoy.
#[derive(Debug, Parser)]
struct Args {
    /// Envoy's executable
    #[arg(long)]
    envoy: PathBuf,
    /// The filter's module
    #[arg(long)]
    wasm: PathBuf,
    /// Loads to run
    #[arg(long, value_delimiter = ',', value_parser = load_named)]
    loads: Vec<Load>,
    /// Variants to run beside passthrough
    #[arg(long, value_delimiter = ',', value_parser = variant_named)]
    variants: Vec<Variant>,
    /// Rounds that count
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of one variant in one round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Write the figures to a file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Run a mixed load for this many minutes and watch memory instead
    #[arg(long, value_name = "MINUTES")]
    soak: Option<u64>,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let args = Args::parse();
    let plan = Plan {
        loads: or_all(&args.loads, &Load::ALL),
        variants: or_all(&args.variants, &Variant::ALL),
        rounds: args.rounds,
        time: Duration::try_from_secs_f64(args.seconds).context("--seconds")?,
    };
    let scratch = tempfile::tempdir()?;
    let ports = Ports {
        passthrough: free_port()?,
        filter: free_port()?,
        two_stage: free_port()?,
        local_limits: free_port()?,
        shared_limits: free_port()?,
        rate_limit: free_port()?,
        admin: free_port()?,
    };
    let upstream = upstream::start().await?;
    rate_limit::start(ports.rate_limit).await?;
    let file = scratch.path().join("envoy.json");
    std::fs::write(
        &file,
        bootstrap(&args.wasm, upstream, ports, &plan.variants).to_string(),
    )?;
    let log = scratch.path().join("envoy.log");
    let envoy = Envoy::start(&args.envoy, &file, &log, ports)?;
    if let Some(minutes) = args.soak {
        let verdict = soak::run(minutes, &plan.variants, &envoy, ports).await?;
        if !verdict.is_flat() {
            bail!("resident memory grew by more than ten per cent after the first minute");
        }
        return Ok(());
    }
    let lines = report::lines(&rounds::run(&plan, &envoy, ports).await?);
    print!("{}", report::markdown(&lines));
    if let Some(file) = args.json {
        std::fs::write(&file, serde_json::to_vec_pretty(&lines)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn or_all<T: Clone>(wanted: &[T], all: &[T]) -> Vec<T> {
    if wanted.is_empty() { all } else { wanted }.to_vec()
}

fn load_named(name: &str) -> Result<Load, String> {
    let found = Load::ALL.into_iter().find(|load| load.name() == name);
    found.ok_or_else(|| format!("expected {}", Load::ALL.map(Load::name).join(", ")))
}

fn variant_named(name: &str) -> Result<Variant, String> {
    let found = Variant::ALL.into_iter().find(|own| own.name() == name);
    found.ok_or_else(|| format!("expected {}", Variant::ALL.map(Variant::name).join(", ")))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
