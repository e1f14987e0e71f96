//! Command line of `cargo xtask`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{bench, console, demo, dist, fuzz, lint, soak, suite, wasm, workspace::Workspace};

/// Setup, demo, lints, tests and benches of the Bedrock filter.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the dependencies for known vulnerabilities (fetches the database)
    Audit,
    /// Measure what the filter costs Envoy, compared with plain passthrough
    Bench(bench::Options),
    /// Build the filter's Wasm module, `target/bedrock_filter.wasm`
    Wasm,
    /// Run Envoy, the config-service and a local Bedrock simulator until Ctrl-C
    Demo(demo::Options),
    /// Build what a release consists of, in `target/dist`
    Dist(dist::Options),
    /// Run the fuzz targets for a while
    Fuzz(fuzz::Options),
    /// Check formatting, lints, documentation and dependencies; runs no tests
    Lint(lint::Options),
    /// Run the whole product for hours under random faults, and check its invariants
    Soak(soak::Options),
    /// Run every test, or those whose name contains NAME
    Test(suite::Options),
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    let outcome = Workspace::locate().and_then(|workspace| match task {
        Task::Audit => lint::audit(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Bench(options) => bench::run(&workspace, &options).map(|()| ExitCode::SUCCESS),
        Task::Wasm => wasm::build(&workspace).map(|_| ExitCode::SUCCESS),
        Task::Demo(options) => demo::run(&workspace, &options).map(|()| ExitCode::SUCCESS),
        Task::Dist(options) => dist::run(&workspace, &options).map(|()| ExitCode::SUCCESS),
        Task::Fuzz(options) => fuzz::run(&workspace, &options).map(|()| ExitCode::SUCCESS),
        Task::Lint(options) => lint::run(&workspace, &options).map(|()| ExitCode::SUCCESS),
        Task::Soak(options) => soak::run(&workspace, &options),
        Task::Test(options) => suite::run(&workspace, &options),
    });
    outcome.unwrap_or_else(|error| {
        console::failure(&error);
        ExitCode::FAILURE
    })
}
