//! `cargo xtask test`: builds what the requested tests need, and no more, and runs them.

mod choice;
mod commands;
mod failures;
mod names;
mod needs;
mod programs;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::suite::choice::{Run, Wanted};
use crate::suite::failures::Failures;
use crate::suite::needs::{Need, Needs};
use crate::workspace::Workspace;
use crate::{clients, envoy};

/// Options of `cargo xtask test`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Run only tests whose name contains this, or those of the program with this name, and build only what they
    /// need
    name: Option<String>,
    /// Run the tests that depend on Envoy's version, on the oldest supported one
    #[arg(long, conflicts_with_all = ["name", "matrix"])]
    oldest: bool,
    /// Run on every supported Envoy: all tests on the newest, with those that otherwise run only on
    /// request, and those that need an Envoy on the others too
    #[arg(long)]
    matrix: bool,
    /// Arguments for the test programs, after `--`
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Options {
    /// The tests whose name contains `name` and which run only on request.
    #[must_use]
    pub fn ignored(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            oldest: false,
            matrix: false,
            arguments: vec!["--ignored".to_owned()],
        }
    }

    fn wanted(&self) -> Wanted<'_> {
        match &self.name {
            _ if self.oldest => Wanted::ByEnvoyVersion,
            Some(name) => Wanted::Named(name),
            None if self.matrix => Wanted::Matrix,
            None => Wanted::All,
        }
    }
}

/// A variable for the tests; see `xtask/src/suite/needs.rs`.
pub type Variable = (&'static str, OsString);

/// Runs the tests and returns their verdict.
///
/// # Errors
///
/// When something cannot be built or downloaded, or no test has such a name.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    run_with(workspace, options, &[])
}

/// The same, with more variables for the tests.
///
/// # Errors
///
/// As [`run`].
pub fn run_with(workspace: &Workspace, options: &Options, more: &[Variable]) -> Result<ExitCode> {
    let programs = programs::all(workspace)?;
    let wanted = options.wanted();
    let runs = choice::of(&programs, wanted)?;
    let mut needs: Needs = runs.iter().flat_map(Run::needs).collect();
    if options.name.is_none() && !options.matrix {
        needs.retain(|need| !need.is_of_matrix());
    }
    let mut variables = commands::build(workspace, &runs, &needs)?;
    variables.extend_from_slice(more);
    if options.matrix {
        variables.push((clients::MATRIX, "1".into()));
    }
    let is_whole = matches!(wanted, Wanted::All | Wanted::Matrix);
    if is_whole {
        commands::check_names(workspace, &programs)?;
    }
    if needs.contains(&Need::Envoy) {
        let [oldest, ..] = envoy::SUPPORTED;
        variables.push(envoy(workspace, options.oldest.then_some(oldest))?);
    }
    let arguments = options.arguments.as_slice();
    let mut failures = Failures::default();
    commands::play(workspace, &runs, &variables, arguments, &mut failures)?;
    if is_whole {
        commands::play_examples(workspace, &mut failures)?;
    }
    if options.matrix {
        let depends = |run: &Run<'_>| run.needs_envoy() && run.program.on_request.is_none();
        let runs: Vec<_> = runs.into_iter().filter(depends).collect();
        for version in envoy::SUPPORTED.iter().rev().skip(1) {
            let envoy = envoy(workspace, Some(version))?;
            variables.retain(|(name, _)| *name != envoy.0);
            variables.push(envoy);
            commands::play(workspace, &runs, &variables, arguments, &mut failures)?;
        }
    }
    Ok(if failures.repeat() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn envoy(workspace: &Workspace, version: Option<&str>) -> Result<Variable> {
    let binary = match version {
        Some(version) => envoy::binary_of(workspace, version)?,
        None => envoy::binary(workspace)?,
    };
    Ok(("ENVOY_BIN", binary.into()))
}
