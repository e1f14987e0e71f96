//! Builds the filter as the Wasm module that Envoy loads, and installs the compilation target if needed.

mod toolchain;

pub(crate) use toolchain::has_target;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, iter};

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{console, system, wasm::toolchain::Toolchain};

/// Compilation target of the module.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// SIMD speeds up SHA-256 and base64; every Envoy since 1.36 loads both extensions.
const TARGET_FEATURES: &str = "-Ctarget-feature=+simd128,+bulk-memory";

/// Builds the module and returns its path, `target/bedrock_filter.wasm`.
///
/// # Errors
///
/// When the target's standard library cannot be found or installed, or the filter does not compile.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    console::step("building the filter (Wasm)");
    publish(workspace, &compile(workspace, "bedrock-filter")?)
}

/// Compiles a package's library to a Wasm module, just as the filter itself is compiled.
///
/// # Errors
///
/// As [`build`].
pub fn compile(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    compile_to(workspace, package, workspace.target())
}

/// Compiles the filter from nothing in a target folder of its own, and returns the module's path.
///
/// # Errors
///
/// As [`build`].
pub fn compile_in(workspace: &Workspace, target: &Path) -> Result<PathBuf> {
    if target.exists() {
        fs::remove_dir_all(target)?;
    }
    compile_to(workspace, "bedrock-filter", target)
}

fn compile_to(workspace: &Workspace, package: &str, target: &Path) -> Result<PathBuf> {
    let mut command = cargo(workspace, "rustc")?;
    // `--crate-type` because cargo silently drops link time optimisation for a package that is
    // both cdylib and rlib.
    command.args(["--package", package, "--lib"]).args([
        "--crate-type",
        "cdylib",
        "--profile",
        "wasm",
    ]);
    system::run(command.arg("--target-dir").arg(target))?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(target.join(TARGET).join("wasm").join(file))
}

/// A cargo subcommand with the module's target and flags, to be completed by the caller.
///
/// # Errors
///
/// When the target's standard library, or clippy for it, cannot be found or installed.
pub fn cargo(workspace: &Workspace, subcommand: &str) -> Result<Command> {
    let mut command = Toolchain::prepare()?.cargo(subcommand)?;
    command
        .current_dir(workspace.root())
        .args(["--target", TARGET])
        // Takes precedence over every other way to pass flags and, with `--target`, does not affect build
        // scripts.
        .env("CARGO_ENCODED_RUSTFLAGS", flags());
    Ok(command)
}

/// Flags for the module only, encoded as cargo expects.
fn flags() -> String {
    let flags: Vec<_> = iter::once(TARGET_FEATURES.to_owned())
        .chain(remapped_paths())
        .collect();
    flags.join("\x1f")
}

/// Flags that keep the machine's paths out of what is compiled.
#[must_use]
pub fn remapped_paths() -> Vec<String> {
    let registries = registries().into_iter();
    registries.map(|registry| remapped(&registry)).collect()
}

/// The folders in which cargo keeps the sources of dependencies, one per registry.
fn registries() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let entries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let entries = entries.into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// A panic names its source file, so without this the module and its size would depend on where cargo
/// keeps its registries; the workspace's own files have relative paths anyway.
fn remapped(registry: &Path) -> String {
    format!("--remap-path-prefix={}=registry", registry.display())
}

fn publish(workspace: &Workspace, built: &Path) -> Result<PathBuf> {
    let module = workspace.module();
    let size = fs::copy(built, &module)
        .with_context(|| format!("cannot copy {} to {}", built.display(), module.display()))?;
    console::step(&format!("{}: {} KiB", module.display(), size / 1024));
    Ok(module)
}
