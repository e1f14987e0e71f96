//! Command lines of the subcommands.

use std::path::PathBuf;

use bedrock_filter::config::ProtocolName;
use clap::{ArgGroup, Subcommand};

use super::DATABASE;
use super::callers::{CallerCommand, KeyCommand};
use super::clients::protocol;
use super::remote::Remote;
use super::secret::SealKeySource;
use super::usage::UsageRetention;
use crate::access::Role;
use crate::export::Target;

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Manages the keys that seal credentials
    #[command(subcommand)]
    Seal(SealCommand),
    /// Writes what requests used, or deletes old records of it
    #[command(subcommand)]
    Usage(Box<UsageCommand>),
    /// Manages tokens of the admin API, besides the one in the environment
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manages callers, through the API
    #[command(subcommand, visible_alias = "callers")]
    Caller(CallerCommand),
    /// Manages the keys of callers, through the API
    #[command(subcommand)]
    Key(KeyCommand),
    /// Writes all channels, shared credentials, model choices and callers as YAML, without secrets
    Export {
        #[command(flatten)]
        remote: Remote,
    },
    /// Writes a manifest for Istio as YAML, from the channels or for gateways that get them from the service
    ExportIstio {
        /// File to write instead of standard output
        #[arg(short, long)]
        output: Option<PathBuf>,
        #[command(flatten)]
        target: Box<Target>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Changes channels, shared credentials, model choices and callers to match a file, as often as you like; others stay
    /// as they are
    Apply {
        /// YAML or JSON with a list `channels`, `credentials`, `model_choices`, `callers` or several, in the form that
        /// `export` writes
        #[arg(short, long)]
        file: PathBuf,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Asks a channel's account what it has, and prints its answers as YAML
    Discover {
        /// The channel's name
        channel: String,
        /// Only print the last answers
        #[arg(long)]
        last: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Says where a request would go and what Bedrock would get, as YAML; AWS is not called
    #[command(group(ArgGroup::new("asked").required(true).args(["model", "file"])))]
    Explain {
        /// Name of a model, as clients send it
        model: Option<String>,
        /// JSON or YAML with a whole request, instead of a model's name
        #[arg(short, long)]
        file: Option<PathBuf>,
        /// What the client speaks
        #[arg(long, default_value = "openai_chat", value_parser = protocol())]
        protocol: ProtocolName,
        /// Name of the only channel to ask, even if it is disabled
        #[arg(long)]
        channel: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Sends real requests, which AWS bills, through a channel, and prints how far they got as YAML
    Test {
        /// The channel's name
        channel: String,
        /// Models to ask for, comma-separated [default: all that the channel names]
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        models: Vec<String>,
        /// What the client speaks
        #[arg(long, default_value = "openai_chat", value_parser = protocol())]
        protocol: ProtocolName,
        /// Only streamed answers, or only whole ones [default: both]
        #[arg(long)]
        stream: Option<bool>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Copies the database to a new file, even while the service runs
    Backup {
        /// File to write; it must not exist
        file: PathBuf,
        /// Database file
        #[arg(long, env = "BEDROCK_DATABASE", default_value = DATABASE)]
        database: PathBuf,
    },
}

/// Work on tokens, directly in the database; a running service takes note at once.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Creates a token and prints it, only once
    Create {
        /// Its name, which the history shows
        #[arg(long)]
        name: String,
        /// Its role
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
    /// Revokes a token
    Revoke {
        /// Its name or id
        token: String,
        /// Database file
        #[arg(long, env = "BEDROCK_DATABASE", default_value = DATABASE)]
        database: PathBuf,
    },
}

/// Work on what requests used.
#[derive(Clone, Debug, Subcommand)]
pub enum UsageCommand {
    /// Writes sums to standard output
    Export {
        /// First day or time, such as 2026-11-01
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Up to this time, or to the start of this day [default: now]
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
        /// What to tell apart: period, caller, key, channel, region, model, `model_id`, `base_model`, endpoint, tier,
        /// outcome
        #[arg(
            long,
            value_name = "NAME,…",
            default_value = "period,caller,channel,model"
        )]
        by: String,
        /// Only what this caller used
        #[arg(long, value_name = "NAME")]
        caller: Option<String>,
        /// Only what was used with this key
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// `day` (of the service's time zone) or `hour`
        #[arg(long, default_value = "day")]
        resolution: String,
        /// `csv`, or `jsonl` for a JSON object in each line
        #[arg(long, default_value = "csv")]
        format: String,
        #[command(flatten)]
        remote: Box<Remote>,
    },
    /// Deletes what is older than it may be; a running service does that by itself
    Prune {
        /// Database file
        #[arg(long, env = "BEDROCK_USAGE_DATABASE", value_name = "FILE")]
        usage_database: PathBuf,
        #[command(flatten)]
        retention: UsageRetention,
    },
}

/// Work on keys and on what is sealed with them.
#[derive(Clone, Debug, Subcommand)]
pub enum SealCommand {
    /// Prints a new key for `BEDROCK_SEAL_KEY`
    GenerateKey,
    /// Seals a secret from standard input, for a plugin configuration written by hand
    Secret {
        /// Name of the channel that it is for
        #[arg(long)]
        channel: String,
        /// Its field in `credentials`, such as `secret_access_key`
        #[arg(long)]
        field: String,
        #[command(flatten)]
        seal_key: SealKeySource,
    },
    /// Seals all credentials in the database again, with the first key in
    /// `BEDROCK_SEAL_KEY`; give the new key first, then all others that may be in use
    Rotate {
        /// Database file
        #[arg(long, env = "BEDROCK_DATABASE", default_value = DATABASE)]
        database: PathBuf,
        #[command(flatten)]
        seal_key: SealKeySource,
    },
}
