//! What the executable does besides serving.

mod backup;
mod channels;
mod seal;
mod token;

use std::io::Write as _;

use anyhow::{Context as _, Result};

use crate::args::Command;

/// Runs a subcommand to its end.
///
/// # Errors
///
/// When it fails; the error is meant for the person at the terminal.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Seal(command) => seal::run(command).await,
        Command::Token(command) => token::run(command).await,
        Command::Export { remote } => channels::export(&remote).await,
        Command::Apply {
            file,
            dry_run,
            remote,
        } => channels::apply(&remote, &file, dry_run).await,
        Command::Backup { file, database } => backup::run(&database, &file).await,
    }
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write the result")
}
