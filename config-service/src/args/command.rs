//! Command lines of what the executable does besides serving.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DATABASE;
use super::secret::{SealKeySource, TokenSource};
use crate::access::Role;

/// What the executable does besides serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Keys under which credentials are sealed
    #[command(subcommand)]
    Seal(SealCommand),
    /// Tokens of the admin API, besides the one in the environment
    #[command(subcommand)]
    Token(TokenCommand),
    /// Writes all channels as YAML, without their secrets
    Export {
        #[command(flatten)]
        remote: Remote,
    },
    /// Makes channels what a file says, as often as one likes; others stay as they are
    Apply {
        /// YAML or JSON with a list `channels`, as `export` writes it
        #[arg(short, long)]
        file: PathBuf,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Copies the database to a new file, also while the service runs
    Backup {
        /// File to write; it must not exist
        file: PathBuf,
        /// Database file
        #[arg(long, env = "BEDROCK_DATABASE", default_value = DATABASE)]
        database: PathBuf,
    },
}

/// A running service.
#[derive(Clone, Debug, Args)]
pub struct Remote {
    /// Origin of its admin API
    #[arg(long, env = "BEDROCK_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: String,
    /// Authorities (PEM) that are trusted besides the system's, for an `https://` origin
    #[arg(long, env = "BEDROCK_SERVER_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) token: TokenSource,
}

/// Work on tokens, in the database itself: a running service takes note at once.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Makes a token and prints it, this once
    Create {
        /// Whose it is, for the history
        #[arg(long)]
        name: String,
        /// What it is good for
        #[arg(long)]
        role: Role,
        /// Database file
        #[arg(long, env = "BEDROCK_DATABASE", default_value = DATABASE)]
        database: PathBuf,
    },
    /// Lists names and roles
    List {
        /// Database file
        #[arg(long, env = "BEDROCK_DATABASE", default_value = DATABASE)]
        database: PathBuf,
    },
    /// Makes a token worthless
    Revoke {
        /// Its name or id
        token: String,
        /// Database file
        #[arg(long, env = "BEDROCK_DATABASE", default_value = DATABASE)]
        database: PathBuf,
    },
}

/// Work on keys and on what is sealed under them.
#[derive(Clone, Debug, Subcommand)]
pub enum SealCommand {
    /// Prints a new key for `BEDROCK_SEAL_KEY`
    GenerateKey,
    /// Seals a secret from standard input, for a plugin configuration that is written by hand
    Secret {
        /// Name of the channel that it is for
        #[arg(long)]
        channel: String,
        /// Its field below `credentials`, such as `secret_access_key`
        #[arg(long)]
        field: String,
        #[command(flatten)]
        seal_key: SealKeySource,
    },
    /// Seals all credentials in the database anew, under the first key of `BEDROCK_SEAL_KEY`; give the new key
    /// first, then all that may be in use
    Rotate {
        /// Database file
        #[arg(long, env = "BEDROCK_DATABASE", default_value = DATABASE)]
        database: PathBuf,
        #[command(flatten)]
        seal_key: SealKeySource,
    },
}
