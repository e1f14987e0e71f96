//! Secrets on the command line, in the environment, or in files.

use std::ffi::OsString;

use bedrock_filter::config::KeyDigest;
use bedrock_filter::seal::{KEY_VARIABLE, SealKeyError, SealKeys};
use bedrock_filter::secret::Secret;
use clap::Args;
use secret_source::{Name, Source, SourceError};

use crate::token::{AdminToken, InvalidToken};

/// The variable that holds the admin API's token, for the service and for commands.
const TOKEN_VARIABLE: &str = "BEDROCK_ADMIN_TOKEN";

/// The variable that holds the key that may use everything.
const MASTER_KEY_VARIABLE: &str = "BEDROCK_MASTER_KEY";

/// Fewest characters of that key: its hash reaches every Envoy, so that nobody must be able to guess it.
const MIN_MASTER_KEY: usize = 16;

/// A secret as given. It is checked later, because clap's error would repeat an invalid
/// one.
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
    /// It was given both as a value and as a file, or not at all, or cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The admin token cannot be sent in a header.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// The master key can be guessed, or cannot be sent in a header.
    #[error(
        "{MASTER_KEY_VARIABLE} must be at least {MIN_MASTER_KEY} characters of visible ASCII without spaces; \
        `openssl rand -hex 32` prints a good one"
    )]
    MasterKey,
    /// The system provides no random numbers.
    #[error("the system provides no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The seal keys are not valid.
    #[error(
        "{KEY_VARIABLE} cannot be used: {0}; `config-service seal generate-key` prints a new \
        key"
    )]
    SealKey(#[from] SealKeyError),
}

/// The token that the service expects.
#[derive(Clone, Debug, Args)]
pub struct AdminTokenSource {
    /// Bearer token of the admin API.
    #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true, value_name = "TOKEN")]
    admin_token: Option<Given>,

    /// File that contains the token, instead.
    #[arg(long, env = "BEDROCK_ADMIN_TOKEN_FILE", value_name = "FILE")]
    admin_token_file: Option<OsString>,
}

/// The token that a command presents to a service.
#[derive(Clone, Debug, Args)]
pub struct TokenSource {
    /// Token of the admin API; use the variable or the file
    #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true, value_name = "TOKEN")]
    token: Option<Given>,

    /// File that contains the token, instead
    #[arg(long, env = "BEDROCK_ADMIN_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<OsString>,
}

/// Keys that seal credentials.
#[derive(Clone, Debug, Args)]
pub struct SealKeySource {
    /// Keys that seal credentials, `<id>:<base64 of 32 bytes>`, comma-separated; the
    /// first one seals, all of them open.
    ///
    /// Give every Envoy the same variable. Without it, credentials are in clear text.
    #[arg(long, env = KEY_VARIABLE, hide_env_values = true, value_name = "KEYS")]
    seal_key: Option<Given>,

    /// File that contains those keys, instead.
    #[arg(long, env = "BEDROCK_SEAL_KEY_FILE", value_name = "FILE")]
    seal_key_file: Option<OsString>,
}

/// The key that may use everything.
#[derive(Clone, Debug, Args)]
pub struct MasterKeySource {
    /// Key with which a client may use every model, without limits, where clients have to send one.
    ///
    /// For set-ups without callers. It takes effect once the mode of callers is `optional` or `required`; Envoys get
    /// only its hash.
    #[arg(long, env = MASTER_KEY_VARIABLE, hide_env_values = true, value_name = "KEY")]
    master_key: Option<Given>,

    /// File that contains the key, instead.
    #[arg(long, env = "BEDROCK_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<OsString>,
}

impl MasterKeySource {
    /// The hash of the key, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is too short or unfit for a header.
    pub fn read(&self) -> Result<Option<KeyDigest>, InvalidSecret> {
        let name = Name {
            flag: "--master-key",
            variable: MASTER_KEY_VARIABLE,
        };
        let key = source(name, &self.master_key, &self.master_key_file).read()?;
        let Some(key) = key else {
            return Ok(None);
        };
        if key.len() < MIN_MASTER_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidSecret::MasterKey);
        }
        Ok(Some(KeyDigest::of(key.as_bytes())))
    }
}

impl AdminTokenSource {
    /// The token.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be sent in a header.
    pub fn read(&self) -> Result<AdminToken, InvalidSecret> {
        Ok(self.source().require()?.parse()?)
    }

    /// The token, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be read or cannot be sent in a header.
    pub(super) fn find(&self) -> Result<Option<AdminToken>, InvalidSecret> {
        let token = self.source().read()?;
        Ok(token.map(|token| token.parse()).transpose()?)
    }

    fn source(&self) -> Source<'_> {
        let name = Name {
            flag: "--admin-token",
            variable: TOKEN_VARIABLE,
        };
        source(name, &self.admin_token, &self.admin_token_file)
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
        let keys = self.text()?;
        Ok(keys.as_ref().map_or("", Secret::expose).parse()?)
    }

    /// The keys as they were given, for an Envoy.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub(super) fn text(&self) -> Result<Option<Secret>, InvalidSecret> {
        let name = Name {
            flag: "--seal-key",
            variable: KEY_VARIABLE,
        };
        let keys = source(name, &self.seal_key, &self.seal_key_file).read()?;
        Ok(keys.map(Secret::new))
    }
}

fn source<'a>(name: Name, given: &'a Option<Given>, file: &'a Option<OsString>) -> Source<'a> {
    Source {
        name,
        value: given.as_ref().map(|given| given.0.expose()),
        file: file.as_deref(),
    }
}
