//! Formatting, lints and documentation of the code.

use anyhow::Result;

use crate::workspace::{Workspace, cargo};
use crate::{system, wasm};

/// The package that is compiled to a Wasm module.
const FILTER: &str = "bedrock-filter";

/// Turns clippy's warnings into errors.
const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// The same for rustdoc. Private items are documented too, so that links to them lead somewhere.
const RUSTDOCFLAGS: (&str, &str) = (
    "RUSTDOCFLAGS",
    "-D warnings -A rustdoc::private_intra_doc_links",
);

/// Formatting, of the fuzz targets too.
pub(super) fn fmt(workspace: &Workspace) -> Result<()> {
    workspace.cargo(&["fmt", "--all", "--check"])?;
    let fuzz = workspace.root().join("fuzz");
    system::run(cargo().args(["fmt", "--check"]).current_dir(fuzz))
}

/// Clippy on everything that runs natively.
pub(super) fn clippy(workspace: &Workspace) -> Result<()> {
    let mut command = cargo();
    command
        .args(["clippy", "--workspace", "--all-targets"])
        .args(DENY_WARNINGS);
    system::run(command.current_dir(workspace.root()))
}

/// Clippy on the filter with its host layer, which is compiled only for Wasm.
pub(super) fn clippy_wasm(workspace: &Workspace) -> Result<()> {
    let mut command = wasm::cargo(workspace, "clippy")?;
    command.args(["--package", FILTER, "--lib"]);
    system::run(command.args(DENY_WARNINGS))
}

/// Links and markup of all documentation. Naming examples turns on the features of development dependencies,
/// as for clippy; otherwise cargo would check a hundred crates again.
pub(super) fn doc(workspace: &Workspace) -> Result<()> {
    let mut command = cargo();
    command
        .args(["doc", "--workspace", "--no-deps"])
        .args(["--lib", "--examples"])
        .arg("--document-private-items")
        .env(RUSTDOCFLAGS.0, RUSTDOCFLAGS.1);
    system::run(command.current_dir(workspace.root()))
}

/// The same for the filter with its host layer.
pub(super) fn doc_wasm(workspace: &Workspace) -> Result<()> {
    let mut command = wasm::cargo(workspace, "doc")?;
    command
        .args(["--package", FILTER, "--lib", "--no-deps"])
        .arg("--document-private-items")
        .env(RUSTDOCFLAGS.0, RUSTDOCFLAGS.1);
    system::run(&mut command)
}
