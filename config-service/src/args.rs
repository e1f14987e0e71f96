//! The command line. Every option can also be set in the environment.

mod aws;
mod callers;
mod clients;
mod command;
mod envoy;
mod limits;
mod listening;
mod remote;
mod secret;
mod usage;
mod xds;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use bedrock_filter::config::{Failover, Limits, StreamKeepAlive};
use bedrock_filter::endpoint::Endpoint;
use clap::builder::{FalseyValueParser, RangedU64ValueParser};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand as _, ValueEnum};

use crate::envoy::Launch;
use crate::proxies::ProxyNetwork;
use crate::store::Creation;
use crate::token::AdminToken;
use crate::xds::{DRAIN_TIME, ENVOY_TIMEOUT};
pub use aws::AwsAccess;
pub use callers::{CallerCommand, CallerRuleArgs, KeyCommand};
use clients::Clients;
pub use command::{Command, SealCommand, TokenCommand, UsageCommand};
pub use envoy::WithEnvoy;
pub use limits::CallerLimits;
pub use listening::Listening;
pub use remote::Remote;
pub use secret::{AdminTokenSource, InvalidSecret, MasterKeySource, SealKeySource, TokenSource};
pub use usage::{UsageKeeping, UsageRetention};
pub use xds::XdsServing;

/// The database's path unless another is given.
const DATABASE: &str = "config-service.db";

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Cli {
    /// Serve.
    Serve(Box<Args>),
    /// Run a subcommand.
    Command(Command),
}

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// Not left to clap's derived parser, because environment variables that are meant for serving must
    /// not conflict with a subcommand.
    ///
    /// # Errors
    ///
    /// When it is not valid, or asks for help.
    pub fn try_parse_from<T>(line: impl IntoIterator<Item = T>) -> Result<Self, clap::Error>
    where
        T: Into<OsString> + Clone,
    {
        let program = Args::command()
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true);
        let about = program.get_about().cloned().unwrap_or_default();
        let program = Command::augment_subcommands(program).about(about);
        let matches = program.try_get_matches_from(line)?;
        if matches.subcommand_name().is_some() {
            Command::from_arg_matches(&matches).map(Self::Command)
        } else {
            Args::from_arg_matches(&matches).map(|args| Self::Serve(Box::new(args)))
        }
    }
}

/// Control plane of the Bedrock filter: keeps channels in SQLite and pushes them to Envoy over xDS.
#[derive(Clone, Debug, Parser)]
#[command(name = "config-service", version)]
#[command(group(clap::ArgGroup::new("module").required(true).args(["wasm", "wasm_path_in_envoy"])))]
pub struct Args {
    /// Address of the admin API; also serves the filter module to Envoys.
    #[arg(long, env = "BEDROCK_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// How it is served.
    #[command(flatten)]
    pub listening: Listening,

    /// Address that serves `/metrics` and nothing else, without a token.
    ///
    /// Without it, Prometheus needs a token and gets metrics from the admin API's address.
    #[arg(long, env = "BEDROCK_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Networks, comma-separated, of proxies in front of the admin API whose `x-forwarded-for` is trusted.
    ///
    /// Without it, all clients behind a proxy count as one address when wrong tokens are limited.
    #[arg(
        long,
        env = "BEDROCK_TRUSTED_PROXIES",
        value_name = "CIDR,…",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<ProxyNetwork>,

    /// How Envoys are served.
    #[command(flatten)]
    pub xds: XdsServing,

    /// Database file [default: config-service.db].
    ///
    /// Its folder must exist. If the file is missing the service does not start, unless --init is given;
    /// only the default file is created automatically, if nothing beside it shows that there was one.
    #[arg(long, env = "BEDROCK_DATABASE", value_name = "FILE")]
    pub database: Option<PathBuf>,

    /// If there is no database, create an empty one.
    #[arg(long, env = "BEDROCK_INIT", value_parser = FalseyValueParser::new())]
    pub init: bool,

    /// On an empty database, create the first channels from `AWS_REGION`, `BEDROCK_BASE_URL` and other variables
    /// that people have already.
    ///
    /// A database that has ever been edited is left alone.
    #[arg(long, env = "BEDROCK_CHANNELS_FROM_ENVIRONMENT", value_parser = FalseyValueParser::new())]
    pub channels_from_environment: bool,

    /// An Envoy that this process starts.
    #[command(flatten)]
    pub envoy: WithEnvoy,

    /// The token of the admin API.
    #[command(flatten)]
    pub admin_token: AdminTokenSource,

    /// The keys that seal credentials.
    #[command(flatten)]
    pub seal_key: SealKeySource,

    /// The key that may use everything.
    #[command(flatten)]
    pub master_key: MasterKeySource,

    /// Filter module to serve to Envoys at `/filter/<sha256>.wasm`.
    #[arg(long, env = "BEDROCK_WASM", value_name = "FILE")]
    pub wasm: Option<PathBuf>,

    /// Filter module that Envoys already have, as a path inside Envoy's file system.
    #[arg(long, env = "BEDROCK_WASM_PATH_IN_ENVOY", value_name = "PATH")]
    pub wasm_path_in_envoy: Option<String>,

    /// Envoy's name for the cluster that reaches the admin API, for fetching the filter module.
    #[arg(long, env = "BEDROCK_WASM_CLUSTER", default_value = "config-service")]
    pub wasm_cluster: String,

    /// Origin of the admin API as Envoys see it [default: the address of --listen].
    #[arg(long, env = "BEDROCK_WASM_URL_BASE", value_name = "URL")]
    pub wasm_url_base: Option<String>,

    /// CA certificates that Envoys trust for TLS upstreams, as a path inside Envoy's file system.
    #[arg(
        long,
        env = "BEDROCK_UPSTREAM_CA_FILE",
        value_name = "PATH",
        default_value = "/etc/ssl/certs/ca-certificates.crt"
    )]
    pub upstream_ca_file: String,

    /// Longest request body that the filter accepts, in bytes; raise Envoy's buffer limits with it.
    #[arg(
        long,
        env = "BEDROCK_MAX_REQUEST_BYTES",
        default_value_t = Limits::default().max_request_bytes
    )]
    pub max_request_bytes: usize,

    /// What clients find.
    #[command(flatten)]
    pub clients: Clients,

    /// Seconds of silence in a stream after which its client gets a sign of life, 0 to 300; 0 sends none.
    ///
    /// Proxies between clients and Envoy close connections on which nothing happens, many after a minute, and models
    /// think for longer.
    #[arg(
        long,
        env = "BEDROCK_STREAM_KEEP_ALIVE_SECONDS",
        value_name = "SECONDS"
    )]
    #[arg(default_value_t = StreamKeepAlive::default().0)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=i64::from(StreamKeepAlive::MAX)))]
    pub stream_keep_alive_seconds: u32,

    /// How callers' limits are enforced.
    #[command(flatten)]
    pub caller_limits: CallerLimits,

    /// Minutes between probes of each enabled channel, at most a day; 0 for none.
    ///
    /// A probe asks every model that the channel names for one token, which the account pays for.
    #[arg(long, env = "BEDROCK_PROBE_MINUTES", value_name = "MINUTES")]
    #[arg(default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=24 * 60))]
    pub probe_minutes: u32,

    /// Try a request on other channels when one fails; Envoy must have the routes for it.
    #[arg(long, env = "BEDROCK_FAILOVER", value_parser = FalseyValueParser::new())]
    pub failover: bool,

    /// Maximum number of channels that one request is tried on, with --failover.
    #[arg(
        long,
        env = "BEDROCK_MAX_ATTEMPTS",
        default_value_t = Failover::default().max_attempts,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=Failover::MAX_ATTEMPTS as u64)
    )]
    pub max_attempts: usize,

    /// Bytes of requests that an Envoy worker holds at once in case another attempt is needed, with
    /// --failover.
    ///
    /// At least twice --max-request-bytes. A client may hold no more than it leaves free; further requests
    /// get a 503.
    #[arg(
        long,
        env = "BEDROCK_MAX_HELD_BYTES",
        value_name = "BYTES",
        default_value_t = Failover::default().max_held_bytes,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=Failover::MAX_HELD_BYTES as u64)
    )]
    pub max_held_bytes: usize,

    /// How long Envoys keep clusters that the configuration no longer names, in seconds.
    ///
    /// Requests in progress still use them. Allow as long as a request may take: attempts times the
    /// route's `per_try_timeout`.
    #[arg(
        long,
        env = "BEDROCK_DRAIN_SECONDS",
        value_name = "SECONDS",
        default_value_t = DRAIN_TIME.as_secs(),
        value_parser = clap::value_parser!(u64).range(..=86_400)
    )]
    pub drain_seconds: u64,

    /// How long an Envoy may be silent before its connection is closed, in seconds.
    ///
    /// An Envoy is silent while it compiles the filter, which takes a minute where it has a small part of a
    /// CPU. Closing its connection then would only make it start over.
    #[arg(
        long,
        env = "BEDROCK_ENVOY_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value_t = ENVOY_TIMEOUT.as_secs(),
        value_parser = clap::value_parser!(u64).range(15..=3600)
    )]
    pub envoy_timeout_seconds: u64,

    /// Do not tell clients which channel served them, nor after how many attempts, with --failover.
    #[arg(long, env = "BEDROCK_HIDE_ANSWER_HEADERS", value_parser = FalseyValueParser::new())]
    pub hide_answer_headers: bool,

    /// Accept channels whose `endpoint` is a link-local address or a metadata service.
    #[arg(long, env = "BEDROCK_ALLOW_LINK_LOCAL_ENDPOINTS", value_parser = FalseyValueParser::new())]
    pub allow_link_local_endpoints: bool,

    /// Endpoints, comma-separated, that are trusted like AWS's own hosts: with credentials that AWS
    /// issues to this service, and over plain HTTP.
    #[arg(
        long,
        env = "BEDROCK_TRUSTED_ENDPOINTS",
        value_name = "ORIGIN,…",
        value_delimiter = ',',
        value_parser = Endpoint::parse
    )]
    pub trusted_endpoints: Vec<Endpoint>,

    /// How AWS is reached, and which files channels may name.
    #[command(flatten)]
    pub aws: AwsAccess,

    /// What is kept of what requests used.
    #[command(flatten)]
    pub usage: UsageKeeping,

    /// Format of the log on standard error.
    #[arg(long, env = "BEDROCK_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

impl Args {
    /// Path of the database, and when to create it.
    #[must_use]
    pub fn database(&self) -> (PathBuf, Creation) {
        let create = match &self.database {
            _ if self.init => Creation::Asked,
            None => Creation::IfNeverUsed,
            Some(_) => Creation::Never,
        };
        let path = self.database.clone();
        (path.unwrap_or_else(|| DATABASE.into()), create)
    }

    /// How to start Envoy, if this process does.
    ///
    /// # Errors
    ///
    /// When the seal keys cannot be read.
    pub fn launch(&self) -> Result<Option<Launch>, InvalidSecret> {
        self.envoy.launch(&self.seal_key)
    }

    /// The token of the admin API. With an Envoy of its own, the service does without one: then nobody knows it,
    /// and the API can be used with tokens from the command line.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be sent in a header.
    pub(crate) fn admin_token(&self) -> Result<AdminToken, InvalidSecret> {
        if let Some(token) = self.admin_token.find()? {
            return Ok(token);
        }
        if !self.envoy.is_wanted() {
            return self.admin_token.read();
        }
        tracing::warn!(
            "there is no BEDROCK_ADMIN_TOKEN; to use the admin API and its page, create a token with \
             `config-service token create --name NAME --role admin`"
        );
        Ok(AdminToken::unknown()?)
    }
}

/// Formats of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

#[cfg(test)]
mod tests;
