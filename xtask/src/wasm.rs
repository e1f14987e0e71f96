//! Builds the filter as the Wasm module that Envoy loads, bringing the compiler's target if needed.

mod toolchain;

use std::path::PathBuf;

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
    let toolchain = Toolchain::prepare()?;
    console::step("building the filter (Wasm)");
    let mut command = cargo();
    // `--crate-type` because cargo silently drops link time optimisation for a package that is
    // both cdylib and rlib.
    command
        .current_dir(workspace.root())
        .args(["rustc", "--package", "bedrock-filter", "--lib"])
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
    publish(workspace)
}

fn publish(workspace: &Workspace) -> Result<PathBuf> {
    let built = workspace
        .target()
        .join(TARGET)
        .join("wasm/bedrock_filter.wasm");
    let module = workspace.module();
    let size = std::fs::copy(&built, &module)
        .with_context(|| format!("cannot copy {} to {}", built.display(), module.display()))?;
    console::step(&format!("{}: {} KiB", module.display(), size / 1024));
    Ok(module)
}
