//! `cargo xtask soak`: the chaos suite for hours, at a gentle rate.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::suite;
use crate::workspace::Workspace;

/// Options of `cargo xtask soak`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// How long to inject faults; the checks afterwards take a few minutes more
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// Determines which faults happen, and in which order
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the soak and returns its verdict; the summary is in `target/soak.json`.
///
/// # Errors
///
/// When something cannot be built or downloaded.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    ensure!(options.hours > 0.0, "--hours must be more than 0");
    let summary = workspace.target().join("soak.json");
    let summary = summary
        .to_str()
        .context("the path of the target folder is not valid UTF-8")?;
    let wanted = suite::Options::ignored("soak::");
    let variables = [
        ("SOAK_HOURS", options.hours.to_string().into()),
        ("CHAOS_SEED", options.seed.to_string().into()),
        ("CHAOS_SUMMARY", summary.into()),
    ];
    suite::run_with(workspace, &wanted, &variables)
}
