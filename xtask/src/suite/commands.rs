//! Runs cargo on test programs.
//!
//! Cargo always gets all packages, `--workspace`, and programs are chosen by target: with fewer packages cargo
//! would turn on fewer features in their dependencies, and rebuild those.

use std::env;
use std::num::NonZero;
use std::process::Command;
use std::thread;

use anyhow::{Result, anyhow, bail};

use crate::suite::Variable;
use crate::suite::choice::Run;
use crate::suite::failures::Failures;
use crate::suite::needs::{self, Need, Needs};
use crate::suite::programs::{Program, Target};
use crate::workspace::{Workspace, cargo};
use crate::{console, system, wasm};

/// How many tests of a program run at the same time.
/// <https://doc.rust-lang.org/rustc/tests/index.html#--test-threads-test_threads>
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// Builds programs and module side by side, and returns the variables for all needs but Envoy.
pub(super) fn build(
    workspace: &Workspace,
    runs: &[Run<'_>],
    needs: &Needs,
) -> Result<Vec<Variable>> {
    let mut variables = needs::prepare(workspace, needs)?;
    let tests: Vec<_> = tests(runs).collect();
    let mut command = cargo();
    command.args(["build", "--workspace"]);
    command.args(needs::executables(needs).flat_map(|name| ["--bin", name]));
    command.args(tests.iter().flat_map(|name| ["--test", *name]));
    command.current_dir(workspace.root());
    thread::scope(|scope| {
        let build_module = || scope.spawn(|| wasm::build(workspace));
        let module = needs.contains(&Need::Module).then(build_module);
        if !tests.is_empty() {
            console::step("building the tests");
            system::run(&mut command)?;
        }
        if let Some(module) = module {
            let outcome = module.join();
            let module = outcome.map_err(|_| anyhow!("building the module panicked"))??;
            variables.push(("BEDROCK_FILTER_WASM", module.into()));
        }
        Ok(variables)
    })
}

/// Runs programs, those with the same arguments together.
pub(super) fn play(
    workspace: &Workspace,
    runs: &[Run<'_>],
    variables: &[Variable],
    arguments: &[String],
    failures: &mut Failures,
) -> Result<()> {
    console::step("running the tests");
    let same = |one: &Run<'_>, next: &Run<'_>| {
        one.filters == next.filters && one.program.on_request == next.program.on_request
    };
    for group in runs.chunk_by(same) {
        let mut command = test(workspace);
        if group.iter().any(|run| run.program.target == Target::Unit) {
            command.arg("--lib");
        }
        command.args(tests(group).flat_map(|name| ["--test", name]));
        command.arg("--");
        command.args(group.iter().take(1).flat_map(|run| &run.filters));
        command.args(arguments);
        if group.iter().any(|run| run.program.on_request.is_some()) {
            command.arg("--include-ignored");
        }
        command.envs(variables.iter().cloned());
        failures.watch(&mut command)?;
    }
    Ok(())
}

/// Runs the examples in the documentation.
pub(super) fn play_examples(workspace: &Workspace, failures: &mut Failures) -> Result<()> {
    failures.watch(test(workspace).arg("--doc"))
}

/// Names are read from the sources, so that the needs of NAME are known before anything is built. This checks
/// that none is missed.
pub(super) fn check_names(workspace: &Workspace, programs: &[Program]) -> Result<()> {
    let mut command = test(workspace);
    command.args(["--quiet", "--lib", "--tests"]);
    command.args(["--", "--list", "--format", "terse"]);
    let listed = system::output(&mut command)?;
    let is_known = |name: &str| programs.iter().any(|program| program.has(name));
    let listed = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    let unknown: Vec<_> = listed.filter(|name| !is_known(name)).collect();
    if !unknown.is_empty() {
        bail!(
            "`cargo xtask test NAME` would not find {}: xtask/src/suite/names.rs does not see them",
            unknown.join(", ")
        );
    }
    Ok(())
}

fn test(workspace: &Workspace) -> Command {
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    command.current_dir(workspace.root());
    if env::var_os(TEST_THREADS).is_none() {
        command.env(TEST_THREADS, test_threads().to_string());
    }
    command
}

/// Twice as many as there are cores: tests with an Envoy or a browser spend half of their time waiting for
/// something that uses no CPU, such as a timeout.
fn test_threads() -> usize {
    2 * thread::available_parallelism().map_or(1, NonZero::get)
}

fn tests<'r>(runs: &'r [Run<'_>]) -> impl Iterator<Item = &'r str> {
    runs.iter().filter_map(|run| run.program.test())
}
