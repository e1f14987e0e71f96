//! Builds the filter as the Wasm module that Envoy loads, bringing the compiler's target if needed.

mod toolchain;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::console;
use crate::workspace::{Workspace, cargo};
use crate::{system, wasm::toolchain::Toolchain};

/// Compilation target of the module.
const TARGET: &str = "wasm32-unknown-unknown";

/// SIMD speeds up SHA-256 and base64; every Envoy since 1.36 loads both extensions.
const TARGET_FEATURES: &str = "-C target-feature=+simd128,+bulk-memory";

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
    let toolchain = Toolchain::prepare()?;
    let mut command = cargo();
    // `--crate-type` because cargo silently drops link time optimisation for a package that is
    // both cdylib and rlib.
    command
        .current_dir(workspace.root())
        .args(["rustc", "--package", package, "--lib"])
        .args(["--crate-type", "cdylib", "--profile", "wasm"])
        .args(["--target", TARGET])
        // Cargo ignores a target's own flags when one of these is set.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            TARGET_FEATURES,
        );
    toolchain.apply(&mut command);
    system::run(&mut command)?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(workspace.target().join(TARGET).join("wasm").join(file))
}

fn publish(workspace: &Workspace, built: &Path) -> Result<PathBuf> {
    let module = workspace.module();
    let size = std::fs::copy(built, &module)
        .with_context(|| format!("cannot copy {} to {}", built.display(), module.display()))?;
    console::step(&format!("{}: {} KiB", module.display(), size / 1024));
    Ok(module)
}
