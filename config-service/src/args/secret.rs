//! Secrets on the command line, in the environment, or in files.

use std::ffi::OsString;

use bedrock_filter::seal::{KEY_VARIABLE, SealKeyError, SealKeys};
use bedrock_filter::secret::Secret;
use clap::Args;
use secret_source::{Name, Source, SourceError};

use crate::token::{AdminToken, InvalidToken};

/// The variable with the token of the admin API, for the service and for commands.
const TOKEN_VARIABLE: &str = "BEDROCK_ADMIN_TOKEN";

/// A secret as it was given. It is judged later, because clap would repeat a broken one.
#[derive(Clone, Debug)]
struct Given(Secret);

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

/// Why a secret cannot be used; without the secret.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSecret {
    /// It was given twice or not at all, or cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The admin token cannot be sent.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// The keys for sealing are broken.
    #[error("{KEY_VARIABLE} cannot be used: {0}; `config-service seal generate-key` makes a key")]
    SealKey(#[from] SealKeyError),
}

/// The token that the service asks for.
#[derive(Clone, Debug, Args)]
pub struct AdminTokenSource {
    /// Bearer token of the admin API.
    #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true, value_name = "TOKEN")]
    admin_token: Option<Given>,

    /// File with that token, instead.
    #[arg(long, env = "BEDROCK_ADMIN_TOKEN_FILE", value_name = "FILE")]
    admin_token_file: Option<OsString>,
}

/// The token that a command shows to a service.
#[derive(Clone, Debug, Args)]
pub struct TokenSource {
    /// Token of the admin API; use the variable or the file
    #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true, value_name = "TOKEN")]
    token: Option<Given>,

    /// File with that token, instead
    #[arg(long, env = "BEDROCK_ADMIN_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<OsString>,
}

/// Keys that seal credentials.
#[derive(Clone, Debug, Args)]
pub struct SealKeySource {
    /// Keys that seal credentials, `<id>:<base64 of 32 bytes>` with commas between; the first seals,
    /// all open.
    ///
    /// Give every Envoy the same variable. Without it credentials are in clear.
    #[arg(long, env = KEY_VARIABLE, hide_env_values = true, value_name = "KEYS")]
    seal_key: Option<Given>,

    /// File with those keys, instead.
    #[arg(long, env = "BEDROCK_SEAL_KEY_FILE", value_name = "FILE")]
    seal_key_file: Option<OsString>,
}

impl AdminTokenSource {
    /// The token.
    ///
    /// # Errors
    ///
    /// When it is missing, or cannot be sent in a header.
    pub fn read(&self) -> Result<AdminToken, InvalidSecret> {
        let name = Name {
            flag: "--admin-token",
            variable: TOKEN_VARIABLE,
        };
        let token = source(name, &self.admin_token, &self.admin_token_file).require()?;
        Ok(token.parse()?)
    }
}

impl TokenSource {
    /// The value of `Authorization`.
    ///
    /// # Errors
    ///
    /// When there is no token.
    pub(crate) fn bearer(&self) -> Result<Secret, SourceError> {
        let name = Name {
            flag: "--token",
            variable: TOKEN_VARIABLE,
        };
        let token = source(name, &self.token, &self.token_file).require()?;
        Ok(Secret::new(format!("Bearer {token}")))
    }
}

impl SealKeySource {
    /// The keys; there may be none.
    ///
    /// # Errors
    ///
    /// When they cannot be read; the error does not repeat them.
    pub fn keys(&self) -> Result<SealKeys, InvalidSecret> {
        let name = Name {
            flag: "--seal-key",
            variable: KEY_VARIABLE,
        };
        let keys = source(name, &self.seal_key, &self.seal_key_file).read()?;
        Ok(keys.unwrap_or_default().parse()?)
    }
}

fn source<'a>(name: Name, given: &'a Option<Given>, file: &'a Option<OsString>) -> Source<'a> {
    Source {
        name,
        value: given.as_ref().map(|given| given.0.expose()),
        file: file.as_deref(),
    }
}
