//! The subcommands.

mod ask;
mod backup;
mod callers;
mod channels;
mod documents;
mod seal;
mod token;
mod usage;

use std::io::Write as _;

use anyhow::{Context as _, Result};

use crate::args::Command;
use channels::{Answers, Effect};

/// Runs a subcommand to completion.
///
/// # Errors
///
/// When it fails; the error is meant for the person at the terminal.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Seal(command) => seal::run(command).await,
        Command::Token(command) => token::run(command).await,
        Command::Usage(command) => usage::run(*command).await,
        Command::Caller(command) => callers::run(command).await,
        Command::Key(command) => callers::run_key(command).await,
        Command::Export { remote } => channels::export(&remote).await,
        Command::ExportIstio {
            output,
            target,
            remote,
        } => channels::export_istio(&remote, &target, output.as_deref()).await,
        Command::Apply {
            file,
            dry_run,
            remote,
        } => {
            let effect = if dry_run {
                Effect::Foreseen
            } else {
                Effect::Made
            };
            channels::apply(&remote, &file, effect).await
        }
        Command::Discover {
            channel,
            last,
            remote,
        } => {
            let answers = if last { Answers::Last } else { Answers::New };
            channels::discover(&remote, &channel, answers).await
        }
        Command::Explain {
            model,
            file,
            protocol,
            channel,
            remote,
        } => {
            let question = ask::Question {
                model,
                file,
                protocol,
                channel,
            };
            ask::explain(&remote, question).await
        }
        Command::Test {
            channel,
            models,
            protocol,
            stream,
            remote,
        } => {
            let plan = ask::Plan {
                models,
                protocol,
                stream,
            };
            ask::test(&remote, &channel, &plan).await
        }
        Command::Backup { file, database } => backup::run(&database, &file).await,
    }
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write the result")
}
