//! `config-service seal`.

use anyhow::{Context as _, Result, ensure};
use bedrock_filter::secret::Secret;

use super::say;
use crate::args::{SealCommand, SealKeySource};
use crate::seal::{Sealer, generate_key};
use crate::store::Store;

pub(super) async fn run(command: SealCommand) -> Result<()> {
    match command {
        SealCommand::GenerateKey => say(generate_key()?.expose()),
        SealCommand::Secret {
            channel,
            field,
            seal_key,
        } => {
            let (sealer, _) = sealer(&seal_key)?;
            let text = std::io::read_to_string(std::io::stdin());
            let text = text.context("cannot read the secret from standard input")?;
            let mut secret = Secret::new(text.trim());
            ensure!(
                !secret.expose().is_empty(),
                "standard input is empty; write the secret to it"
            );
            sealer.seal(&channel, [(field, &mut secret)])?;
            say(secret.expose())
        }
        SealCommand::Rotate { database, seal_key } => {
            let (sealer, id) = sealer(&seal_key)?;
            let store = Store::open(&database, sealer).await?;
            let resealed = store.reseal().await;
            store.close().await;
            let (changed, all) = resealed?;
            say(&format!(
                "{changed} of {all} channels were sealed again; all are now sealed with the key \
                 {id}"
            ))
        }
    }
}

/// The sealer for these keys, and the id of the first one.
fn sealer(keys: &SealKeySource) -> Result<(Sealer, String)> {
    let sealer = Sealer::new(keys.keys()?);
    let id = sealer.key_id().map(str::to_owned);
    let id =
        id.context("there is no key to seal with; set BEDROCK_SEAL_KEY or BEDROCK_SEAL_KEY_FILE")?;
    Ok((sealer, id))
}
