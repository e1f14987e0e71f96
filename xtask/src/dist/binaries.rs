//! The config-service's executables: for x86-64 and ARM, and for every Linux with a glibc of 2018 or later.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::python::Virtualenv;
use crate::workspace::{Workspace, cargo};
use crate::{console, system, wasm};

/// What they are built for.
pub(super) const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// The oldest glibc that they run with: that of Debian 10 and RHEL 8.
const GLIBC: &str = "2.28";

/// The linker for any target, and the cargo subcommand that uses it, as packages on `PyPI`.
/// <https://github.com/rust-cross/cargo-zigbuild>
const ZIG: [&str; 2] = ["ziglang", "0.15.2"];
const ZIGBUILD: [&str; 2] = ["astral-dev-toolchain-cargo-zigbuild", "0.23.4"];

/// Builds them in a target folder; returns each with its target.
pub(super) fn build(workspace: &Workspace, folder: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
    let venv =
        |[package, version]: [&str; 2]| Virtualenv::with_package(workspace, package, version);
    let zig = venv(ZIG)?;
    let zig = zig.package_file("ziglang/zig");
    let zig = zig.with_context(|| format!("{} {} has no zig", ZIG[0], ZIG[1]))?;
    let zigbuild = venv(ZIGBUILD)?.executable("cargo-zigbuild");
    let build = |target| {
        add(target)?;
        console::step(&format!("building the config-service for {target}"));
        let mut command = Command::new(&zigbuild);
        command
            .current_dir(workspace.root())
            .args([
                "zigbuild",
                "--locked",
                "--release",
                "--package",
                "config-service",
            ])
            .args(["--target", &format!("{target}.{GLIBC}")])
            .arg("--target-dir")
            .arg(folder)
            .env("CARGO", cargo().get_program())
            .env("CARGO_ZIGBUILD_ZIG_PATH", &zig)
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                wasm::remapped_paths().join("\x1f"),
            );
        system::run(&mut command)?;
        let built = folder.join(target).join("release/config-service");
        Ok((target, built))
    };
    TARGETS.into_iter().map(build).collect()
}

/// Brings a target's standard library, unless it is there.
fn add(target: &str) -> Result<()> {
    if wasm::has_target(target) {
        return Ok(());
    }
    let remedy =
        || format!("the standard library of {target} is needed: `rustup target add {target}`");
    system::output(Command::new("rustup").args(["target", "add", target])).with_context(remedy)?;
    Ok(())
}
