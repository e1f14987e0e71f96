//! `cargo xtask bench`: what the filter costs Envoy, next to plain passthrough in the same run.
//!
//! The `load` crate measures, in a release build; this module builds it and the filter, and
//! fetches Envoy.

mod stages;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace::{Workspace, cargo};
use crate::{console, envoy, system, wasm};

/// Options of `cargo xtask bench`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Two short rounds: everything within two minutes, building excluded
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// Names of the loads to run; all by default
    #[arg(long, value_name = "NAME,…")]
    loads: Option<String>,
    /// Names of the variants to run besides passthrough; all by default
    #[arg(long, value_name = "NAME,…")]
    variants: Option<String>,
    /// Rounds that count
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of one variant in one round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Measure this module instead of the one built from the sources
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Also write the figures to a file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Time each of the filter's stages on its own instead, natively and in V8 (needs Node.js)
    #[arg(long, conflicts_with_all = ["quick", "soak"])]
    stages: bool,
    /// Run a mixed load for this many minutes and watch Envoy's memory instead
    #[arg(long, value_name = "MINUTES")]
    soak: Option<u64>,
}

/// Builds what is needed and measures.
///
/// # Errors
///
/// When something cannot be built or started, or an answer is wrong.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.stages {
        return stages::run(workspace);
    }
    let envoy = envoy::binary(workspace)?;
    let module = match &options.wasm {
        Some(module) => module.clone(),
        None => wasm::build(workspace)?,
    };
    console::step("building the load bench");
    let load = ["bench", "--package", "load"];
    system::run(
        cargo()
            .args(load)
            .arg("--no-run")
            .current_dir(workspace.root()),
    )?;
    let mut command = cargo();
    command
        .args(load)
        .args(["--quiet", "--bench", "load", "--"]);
    command.current_dir(workspace.root());
    command.arg("--envoy").arg(&envoy);
    command.arg("--wasm").arg(&module);
    pass_on(&mut command, options);
    console::print(&format!("{}\n", machine(&envoy, &module)?));
    console::step("measuring");
    system::run(&mut command)
}

fn pass_on(command: &mut Command, options: &Options) {
    let (rounds, seconds) = if options.quick {
        (2, 1.2)
    } else {
        (options.rounds, options.seconds)
    };
    command.args(["--rounds", &rounds.to_string()]);
    command.args(["--seconds", &seconds.to_string()]);
    for (flag, value) in [
        ("--loads", &options.loads),
        ("--variants", &options.variants),
    ] {
        command.args(value.iter().flat_map(|value| [flag, value]));
    }
    if let Some(file) = &options.json {
        command.arg("--json").arg(file);
    }
    if let Some(minutes) = options.soak {
        command.args(["--soak", &minutes.to_string()]);
    }
}

/// One line that says what the figures depend on.
fn machine(envoy: &Path, module: &Path) -> Result<String> {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let version = envoy::version(envoy)?;
    let size = std::fs::metadata(module)
        .with_context(|| format!("no module at {}", module.display()))?
        .len();
    Ok(format!(
        "{model}, {cores} cores; Envoy {version}, one worker; module of {} KiB",
        size / 1024
    ))
}
