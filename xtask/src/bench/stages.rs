//! `cargo xtask bench --stages`: times each stage of the filter on its own, natively and
//! in V8.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{Workspace, cargo};
use crate::{console, system, wasm};

/// A program that runs V8.
const NODE: &str = "node";

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let node = system::find(NODE).context(
        "`node` is not on the PATH; the comparison runs V8 in Node.js 18 or later (Debian: \
         `apt-get install nodejs`). `cargo bench --package stages` times the stages natively",
    )?;
    console::step("building the stages, natively and as Wasm");
    let arguments = ["build", "--release", "--package", "stages"];
    system::run(cargo().current_dir(workspace.root()).args(arguments))?;
    let module = wasm::compile(workspace, "stages")?;
    console::step("timing them natively");
    let native = system::output(&mut Command::new(workspace.target().join("release/stages")))?;
    console::step("timing them in V8");
    let script = workspace.root().join("benches/stages/v8.mjs");
    let v8 = system::output(Command::new(node).arg(script).arg(module))?;
    console::print(&table(&native, &v8)?);
    Ok(())
}

/// A Markdown table of both outputs, whose lines are `name<TAB>nanoseconds`.
fn table(native: &str, v8: &str) -> Result<String> {
    let mut text = String::from("| stage | native µs | V8 µs | V8 / native |\n|---|---|---|---|\n");
    for (native, v8) in native.lines().zip(v8.lines()) {
        let (name, native) = measured(native)?;
        let (_, v8) = measured(v8)?;
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {native:.2} | {v8:.2} | {:.2} |",
            v8 / native
        );
    }
    Ok(text)
}

/// A stage's name and its time in microseconds.
fn measured(line: &str) -> Result<(&str, f64)> {
    let (name, nanoseconds) = line.split_once('\t').context("a line without a tab")?;
    Ok((name, nanoseconds.parse::<f64>()? / 1000.0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn both_times_of_a_stage_are_on_one_line() {
        let table = table(
            "parse\t1000.0\nsign\t500.0\n",
            "parse\t1500.0\nsign\t2000.0\n",
        );
        let table = table.unwrap();
        assert!(table.contains("| parse | 1.00 | 1.50 | 1.50 |"), "{table}");
        assert!(table.contains("| sign | 0.50 | 2.00 | 4.00 |"), "{table}");
        assert!(measured("no tab").is_err());
    }
}
