//! `cargo xtask fuzz`: runs the fuzz targets for a while, on the ordinary toolchain.
//!
//! cargo-fuzz would need a nightly toolchain for its sanitizers. Coverage guidance does not, and the
//! crate has no unsafe code for a sanitizer to check.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{fs, thread};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;

use crate::workspace::{Workspace, cargo};
use crate::{console, system};

/// What libFuzzer needs to see which code an input reaches.
const COVERAGE_FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Options of `cargo xtask fuzz`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Run only this target
    target: Option<String>,
    /// How long each target runs, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Seed for libFuzzer's random numbers; 0 chooses a new one each time
    #[arg(long, default_value_t = 0)]
    seed: u32,
}

/// Runs every target, or one, as many at a time as there are cores; a finding ends the turns of its core.
///
/// # Errors
///
/// When a target cannot be built, or an input violates its law; libFuzzer says which.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    ensure_compiler()?;
    let folder = workspace.root().join("fuzz");
    let target = workspace.target().join("fuzz");
    let host = host()?;
    console::step("building the fuzz targets");
    system::run(
        cargo()
            .args(["build", "--release", "--target", &host])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", &target)
            .env("RUSTFLAGS", COVERAGE_FLAGS),
    )?;
    let names = names(&folder)?;
    let wanted: Vec<_> = names
        .iter()
        .filter(|name| options.target.as_ref().is_none_or(|only| only == *name))
        .collect();
    ensure!(
        !wanted.is_empty(),
        "no such fuzz target; choose one of {}",
        names.join(", ")
    );
    let programs = target.join(&host).join("release");
    let turns = Mutex::new(wanted.into_iter());
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    // Each target has the time to itself on one core, however many there are.
    thread::scope(|scope| {
        let work = || -> Result<()> {
            while let Some(name) = next(&turns) {
                fuzz(workspace, &programs.join(name), options)?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let outcome = worker.join();
            outcome.map_err(|_| anyhow!("running a fuzz target panicked"))?
        })
    })
}

/// The next target that nobody has taken.
fn next<'n>(turns: &Mutex<impl Iterator<Item = &'n String>>) -> Option<&'n String> {
    turns.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// Runs a target's program.
fn fuzz(workspace: &Workspace, program: &Path, options: &Options) -> Result<()> {
    let name = program.file_name().context("a program has no name")?;
    let target = workspace.target().join("fuzz");
    let shown = name.to_string_lossy();
    console::step(&format!("fuzzing {shown} for {} s", options.seconds));
    let corpus = target.join("corpus").join(name);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    let seconds = format!("-max_total_time={}", options.seconds);
    let seed = format!("-seed={}", options.seed);
    // The golden files are the seeds; new inputs go into the first folder.
    system::run(
        Command::new(program)
            .args([seconds, seed])
            .args(["-print_final_stats=0", "-verbosity=0"])
            .arg(&corpus)
            .arg(workspace.root().join("tests/golden"))
            .current_dir(&target),
    )
}

/// libFuzzer itself is C++.
fn ensure_compiler() -> Result<()> {
    if system::find("c++").is_some() {
        return Ok(());
    }
    ensure!(
        system::can_install(),
        "fuzzing needs a C++ compiler; install one, on Debian with `apt-get install g++`"
    );
    system::install(&["g++"])
}

/// The targets are the files of `fuzz_targets`.
fn names(folder: &Path) -> Result<Vec<String>> {
    let targets = folder.join("fuzz_targets");
    let entries =
        fs::read_dir(&targets).with_context(|| format!("cannot read {}", targets.display()))?;
    let mut names: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// To apply flags only to the target it must be named explicitly; otherwise build scripts would get
/// them too.
fn host() -> Result<String> {
    let output = Command::new("rustc")
        .args(["--version", "--verbose"])
        .output()
        .context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned)
        .context("`rustc -vV` prints no host")
}
