//! Command lines about callers and their keys.

use std::path::PathBuf;

use bedrock_filter::config::CallerMode;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Subcommand};

use super::remote::Remote;

/// Work on callers, through the API of a running service.
#[derive(Clone, Debug, Subcommand)]
pub enum CallerCommand {
    /// Lists names, numbers of keys, whether they are enabled, and when they last asked
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Creates a caller and prints its first key, only once
    Create {
        /// Its name
        name: String,
        /// The models that it may ask for, comma-separated; `*` stands for any text [default: all]
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        models: Vec<String>,
        /// Names of the channels that may serve it, comma-separated [default: all]
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        channels: Vec<String>,
        /// Most requests a minute
        #[arg(long)]
        rpm: Option<u32>,
        /// Most tokens a minute
        #[arg(long)]
        tpm: Option<u32>,
        #[command(flatten)]
        rules: Box<CallerRuleArgs>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Removes a caller and its keys
    Delete {
        /// Its name
        name: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Says whether clients need a key, or changes that
    Mode {
        /// `off`, `optional` or `required` [default: only say]
        #[arg(value_parser = mode())]
        mode: Option<CallerMode>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Makes a caller for each key in the export of another gateway, or for none; keys that are known are passed over
    Import {
        /// The other gateway
        #[arg(long, value_parser = ["litellm", "one-api"])]
        from: String,
        /// JSON: an answer of its API, an array, or one key a line
        file: PathBuf,
        /// Only says what would happen
        #[arg(long)]
        dry_run: bool,
        /// Imports also what cannot be kept whole, such as a restriction that does not exist here
        #[arg(long)]
        accept_losses: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Says how many requests of the last hour would have been refused if every client had needed a key
    Forecast {
        #[command(flatten)]
        remote: Remote,
    },
}

/// What is set for a caller's requests, and what they may not use.
#[derive(Clone, Debug, Args)]
pub struct CallerRuleArgs {
    /// Guardrail of all its requests
    #[arg(long, value_name = "IDENTIFIER:VERSION")]
    pub(crate) guardrail: Option<String>,
    /// Processing class of requests that do not choose one: `default`, `flex`, `priority` or `reserved`
    #[arg(long, value_name = "TIER")]
    pub(crate) service_tier: Option<String>,
    /// Labels of all its requests in Bedrock's invocation log, comma-separated
    #[arg(long, value_name = "KEY=VALUE,…", value_delimiter = ',')]
    pub(crate) request_metadata: Vec<String>,
    /// What its requests may not use, comma-separated: `tools`, `thinking`, `documents`, `prompt_caching`
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = feature())]
    pub(crate) refuse: Vec<String>,
}

/// Work on the keys of a caller, through the API of a running service.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Makes a key and prints it, only once; or brings the hash of one
    Create {
        /// The caller's name
        caller: String,
        /// What the key is called
        #[arg(long)]
        name: Option<String>,
        /// From when it is refused, such as 2027-01-31
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// SHA-256 of a key that exists already, in hexadecimal
        #[arg(long, value_name = "HASH")]
        key_hash: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Lists the keys of a caller, without the keys themselves
    List {
        /// The caller's name
        caller: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Makes a key in place of another, and prints it
    Rotate {
        /// The caller's name
        caller: String,
        /// The key's id
        key: String,
        /// How long the old key stays valid
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        overlap_seconds: u32,
        #[command(flatten)]
        remote: Remote,
    },
    /// Revokes a key
    Revoke {
        /// The caller's name
        caller: String,
        /// The key's id
        key: String,
        #[command(flatten)]
        remote: Remote,
    },
}

fn mode() -> impl clap::builder::TypedValueParser<Value = CallerMode> {
    let words = PossibleValuesParser::new(["off", "optional", "required"]);
    words.map(|word| match word.as_str() {
        "optional" => CallerMode::Optional,
        "required" => CallerMode::Required,
        _ => CallerMode::Off,
    })
}

fn feature() -> PossibleValuesParser {
    PossibleValuesParser::new(["tools", "thinking", "documents", "prompt_caching"])
}
