//! What the executable does besides serving.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};

use crate::args::{Command, SealCommand};
use crate::seal::{Sealer, generate_key};
use crate::store::Store;

/// Runs a subcommand to its end.
///
/// # Errors
///
/// When it fails; the error is meant for the person at the terminal.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Seal(command) => seal(command).await,
    }
}

async fn seal(command: SealCommand) -> Result<()> {
    match command {
        SealCommand::GenerateKey => say(generate_key()?.expose()),
        SealCommand::Rotate { database, seal_key } => {
            let sealer = Sealer::new(seal_key.keys()?);
            let id = sealer.key_id().map(str::to_owned);
            let id = id.context("there is no key to seal with; set BEDROCK_SEAL_KEY")?;
            ensure!(
                database.exists(),
                "there is no database {}",
                database.display()
            );
            let store = Store::open(&database, sealer).await?;
            let resealed = store.reseal().await;
            store.close().await;
            let (changed, all) = resealed?;
            say(&format!(
                "{changed} of {all} channels were sealed anew; all are under the key {id} now"
            ))
        }
    }
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write the result")
}
