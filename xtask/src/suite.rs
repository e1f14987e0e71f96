//! `cargo xtask test`: prepares what the tests need and runs all of them.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace::{Workspace, cargo};
use crate::{browser, console, envoy, python, wasm};

/// Options of `cargo xtask test`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Run only tests whose name contains this
    name: Option<String>,
    /// Arguments for the test programs, after `--`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs the tests and returns cargo's verdict.
///
/// The tests find what was prepared through environment variables: `ENVOY_BIN`,
/// `BEDROCK_FILTER_WASM`, `CONFIG_SERVICE_BIN`, `BEDROCK_SIMULATOR_BIN`, `OPENAI_PYTHON`, `CHROMIUM`
/// and `CHROMEDRIVER`.
///
/// # Errors
///
/// When something cannot be built or downloaded.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let envoy = envoy::binary(workspace)?;
    let openai = python::openai(workspace)?;
    let browser = browser::find()?;
    let module = wasm::build(workspace)?;
    console::step("building the tests");
    // Both kinds in one call, so that cargo builds every dependency once.
    workspace.cargo(&["build", "--workspace", "--bins", "--tests"])?;
    console::step("running the tests");
    let status = cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(&options.name)
        .arg("--")
        .args(&options.arguments)
        .current_dir(workspace.root())
        .env("ENVOY_BIN", envoy)
        .env("BEDROCK_FILTER_WASM", module)
        .env("CONFIG_SERVICE_BIN", workspace.executable("config-service"))
        .env(
            "BEDROCK_SIMULATOR_BIN",
            workspace.executable("bedrock-simulator"),
        )
        .env("OPENAI_PYTHON", openai)
        .env("CHROMIUM", browser.chromium)
        .env("CHROMEDRIVER", browser.driver)
        .status()
        .context("cannot run `cargo test`")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
