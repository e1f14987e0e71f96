//! `config-service token`.

use anyhow::{Result, ensure};

use super::say;
use crate::access::Principal;
use crate::args::TokenCommand;
use crate::seal::Sealer;
use crate::store::Store;
use crate::token;

/// The recorded creator of a token created in a terminal.
const TERMINAL: &str = "command line";

pub(super) async fn run(command: TokenCommand) -> Result<()> {
    let database = match &command {
        TokenCommand::Create { database, .. }
        | TokenCommand::List { database }
        | TokenCommand::Revoke { database, .. } => database,
    };
    let store = Store::open(database, Sealer::default()).await?;
    let done = act(&store, &command).await;
    store.close().await;
    done
}

async fn act(store: &Store, command: &TokenCommand) -> Result<()> {
    match command {
        TokenCommand::Create { name, role, .. } => {
            let owner = Principal {
                name: name.clone(),
                role: *role,
            };
            let (_, token) = token::issue(store, &owner, TERMINAL).await?;
            say(token.expose())
        }
        TokenCommand::List { .. } => {
            for entry in store.tokens().await? {
                let line = [&entry.id, &entry.role, &entry.created_at, &entry.name];
                say(&line.map(String::as_str).join("  "))?;
            }
            Ok(())
        }
        TokenCommand::Revoke { token, .. } => {
            ensure!(
                store.revoke_token(token).await?,
                "there is no token `{token}`"
            );
            say("revoked")
        }
    }
}
