//! `cargo xtask lint`: every check that does not run the code.

mod code;
mod components;
mod dependencies;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::console;
use crate::workspace::Workspace;

pub use dependencies::audit;

/// Options of `cargo xtask lint`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Run only this check
    #[arg(value_enum)]
    check: Option<Check>,
}

/// The checks, quick ones first.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Check {
    /// Formatting, by rustfmt
    Fmt,
    /// The dependencies' licences, sources and bans, by `deny.toml`
    Deny,
    /// Every dependency is used, and every file is part of a crate
    Unused,
    /// Clippy, for this machine
    Clippy,
    /// Clippy, for the filter's Wasm build
    ClippyWasm,
    /// The documentation, of private items too
    Doc,
    /// The documentation of the filter's Wasm build
    DocWasm,
}

impl Check {
    fn run(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Fmt => code::fmt(workspace),
            Self::Deny => dependencies::deny(workspace),
            Self::Unused => dependencies::unused(workspace),
            Self::Clippy => code::clippy(workspace),
            Self::ClippyWasm => code::clippy_wasm(workspace),
            Self::Doc => code::doc(workspace),
            Self::DocWasm => code::doc_wasm(workspace),
        }
    }

    /// The check's name on the command line.
    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Runs every check, or one, and says at the end which of them failed.
///
/// # Errors
///
/// When a check fails, or a tool that it needs cannot be installed.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    components::ensure()?;
    let all = Check::value_variants();
    let wanted = options.check.as_ref().map_or(all, std::slice::from_ref);
    let mut failed = Vec::new();
    for check in wanted {
        console::step(&format!("lint {}", check.name()));
        if let Err(error) = check.run(workspace) {
            console::failure(&error);
            failed.push(check.name());
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
