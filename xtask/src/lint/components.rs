//! rustfmt and clippy.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::cargo;
use crate::{console, system};

/// Adds rustfmt and clippy to the toolchain in use if they are missing.
pub(super) fn ensure() -> Result<()> {
    if has("fmt") && has("clippy") {
        return Ok(());
    }
    ensure!(
        system::find("rustup").is_some(),
        "rustfmt and clippy are needed: install them with rustup, or your system's packages"
    );
    console::step("adding rustfmt and clippy (rustup)");
    system::run(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
        .context("rustfmt and clippy are needed")
}

fn has(subcommand: &str) -> bool {
    system::output(cargo().args([subcommand, "--version"])).is_ok()
}
