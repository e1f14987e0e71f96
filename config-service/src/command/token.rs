//! `config-service token`.

use anyhow::{Context as _, Result, ensure};

use super::{open, say};
use crate::access::{self, Principal, TokenHash};
use crate::args::TokenCommand;
use crate::store::Store;

/// Who made a token that was made in a terminal.
const TERMINAL: &str = "command line";

pub(super) async fn run(command: TokenCommand) -> Result<()> {
    let database = match &command {
        TokenCommand::Create { database, .. }
        | TokenCommand::List { database }
        | TokenCommand::Revoke { database, .. } => database,
    };
    let store = open(database).await?;
    let done = act(&store, &command).await;
    store.close().await;
    done
}

async fn act(store: &Store, command: &TokenCommand) -> Result<()> {
    match command {
        TokenCommand::Create { name, role, .. } => {
            ensure!(
                access::is_token_name(name),
                "the name must be 1 to 64 letters, digits, `.`, `_` or `-`, start with a letter or \
                 digit, and not be `admin`"
            );
            let token = access::new_token()?;
            let owner = Principal {
                name: name.clone(),
                role: *role,
            };
            let hash = TokenHash::of(token.expose().as_bytes());
            let entry = store.add_token(&owner, hash, TERMINAL).await?;
            entry.with_context(|| format!("another token has the name `{name}`"))?;
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
