//! Builds the filter as the Wasm module that Envoy loads, bringing the compiler's target if needed.

mod toolchain;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, iter};

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{console, system, wasm::toolchain::Toolchain};

/// Compilation target of the module.
const TARGET: &str = "wasm32-unknown-unknown";

/// SIMD speeds up SHA-256 and base64; every Envoy since 1.36 loads both extensions.
const TARGET_FEATURES: &str = "-Ctarget-feature=+simd128,+bulk-memory";

/// Builds the module and returns its path, `target/bedrock_filter.wasm`.
///
/// # Errors
///
/// When the target's standard library can be had nowhere, or the filter does not compile.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    console::step("building the filter (Wasm)");
    publish(workspace, &compile(workspace, "bedrock-filter")?)
}

/// Compiles a package's library to a Wasm module, as the filter itself is compiled.
///
/// # Errors
///
/// As [`build`].
pub fn compile(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    let mut command = cargo(workspace, "rustc")?;
    // `--crate-type` because cargo silently drops link time optimisation for a package that is
    // both cdylib and rlib.
    command.args(["--package", package, "--lib"]).args([
        "--crate-type",
        "cdylib",
        "--profile",
        "wasm",
    ]);
    system::run(&mut command)?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(workspace.target().join(TARGET).join("wasm").join(file))
}

/// A subcommand of cargo with the module's target and flags, to be completed.
///
/// # Errors
///
/// When the target's standard library, or clippy for it, can be had nowhere.
pub fn cargo(workspace: &Workspace, subcommand: &str) -> Result<Command> {
    let mut command = Toolchain::prepare()?.cargo(subcommand)?;
    command
        .current_dir(workspace.root())
        .args(["--target", TARGET])
        // Wins over every other way to give flags, and with `--target` leaves build scripts alone.
        .env("CARGO_ENCODED_RUSTFLAGS", flags());
    Ok(command)
}

/// Flags of the module alone, as cargo wants them encoded.
fn flags() -> String {
    let registries = registries().into_iter();
    let paths = registries.map(|registry| remapped(&registry));
    let flags: Vec<_> = iter::once(TARGET_FEATURES.to_owned())
        .chain(paths)
        .collect();
    flags.join("\x1f")
}

/// Folders in which cargo keeps the sources of dependencies, one for each registry.
fn registries() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let entries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let entries = entries.into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// A panic names its source file. Without this the module, and its size, would depend on where cargo keeps
/// its registries; the workspace's own files have relative paths anyway.
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
