//! The command line. Every option can come from the environment too.

mod command;
mod listening;
mod secret;
mod sts;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use bedrock_filter::config::{Failover, Limits, UnknownParameters};
use bedrock_filter::endpoint::Endpoint;
use clap::builder::{
    FalseyValueParser, PossibleValuesParser, RangedU64ValueParser, TypedValueParser as _,
};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand as _, ValueEnum};

use crate::credentials::{TokenFolder, USUAL_FOLDERS};
use crate::listen::tls::TlsFiles;
use crate::proxies::ProxyNetwork;
use crate::store::Creation;
use crate::xds::DRAIN_TIME;
pub use command::{Command, Remote, SealCommand, TokenCommand};
pub use listening::Listening;
pub use secret::{AdminTokenSource, InvalidSecret, SealKeySource, TokenSource};

/// Where the database is unless somebody says so.
const DATABASE: &str = "config-service.db";

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Cli {
    /// To serve.
    Serve(Box<Args>),
    /// Something else.
    Command(Command),
}

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// By hand, because variables in the environment that are meant for serving do not make a
    /// subcommand serve.
    ///
    /// # Errors
    ///
    /// When it asks for nothing that can be done, or for help.
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
    /// Without it Prometheus needs a token, and gets them from the admin API's address.
    #[arg(long, env = "BEDROCK_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Networks, with commas between, of proxies in front of the admin API, whose `x-forwarded-for` is
    /// believed.
    ///
    /// Without it all who come through a proxy count as one address when wrong tokens are limited.
    #[arg(
        long,
        env = "BEDROCK_TRUSTED_PROXIES",
        value_name = "CIDR,…",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<ProxyNetwork>,

    /// Address of the xDS server (gRPC) for Envoys.
    ///
    /// Whoever reaches it reads all channels. An address that is no loopback needs TLS, or
    /// --xds-allow-plaintext.
    #[arg(long, env = "BEDROCK_XDS_LISTEN", default_value = "127.0.0.1:18000")]
    pub xds_listen: SocketAddr,

    /// The xDS server's certificate, with the chain above it, in PEM.
    #[arg(
        long,
        env = "BEDROCK_XDS_TLS_CERTIFICATE",
        value_name = "FILE",
        requires = "xds_tls_key"
    )]
    pub xds_tls_certificate: Option<PathBuf>,

    /// Private key of that certificate, in PEM.
    #[arg(
        long,
        env = "BEDROCK_XDS_TLS_KEY",
        value_name = "FILE",
        requires = "xds_tls_certificate"
    )]
    pub xds_tls_key: Option<PathBuf>,

    /// Authorities (PEM) whose certificates Envoys must show: mutual TLS.
    #[arg(
        long,
        env = "BEDROCK_XDS_TLS_CLIENT_CA",
        value_name = "FILE",
        requires = "xds_tls_certificate"
    )]
    pub xds_tls_client_ca: Option<PathBuf>,

    /// Names of Envoys, DNS or URI, of which their certificate must have one; with commas between.
    ///
    /// Without it every certificate of the authorities will do.
    #[arg(
        long,
        env = "BEDROCK_XDS_TLS_CLIENT_NAMES",
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "xds_tls_client_ca"
    )]
    pub xds_tls_client_names: Vec<String>,

    /// Serve xDS without TLS on an address that is no loopback.
    #[arg(long, env = "BEDROCK_XDS_ALLOW_PLAINTEXT", value_parser = FalseyValueParser::new())]
    pub xds_allow_plaintext: bool,

    /// Database file [default: config-service.db].
    ///
    /// Its folder must exist. Where it is missing the service does not start, unless --init is given; only
    /// the default is made by itself, if nothing beside it tells that there was one.
    #[arg(long, env = "BEDROCK_DATABASE", value_name = "FILE")]
    pub database: Option<PathBuf>,

    /// Make a new database, without channels, if there is none.
    #[arg(long, env = "BEDROCK_INIT", value_parser = FalseyValueParser::new())]
    pub init: bool,

    /// The token of the admin API.
    #[command(flatten)]
    pub admin_token: AdminTokenSource,

    /// The keys that seal credentials.
    #[command(flatten)]
    pub seal_key: SealKeySource,

    /// Filter module to serve to Envoys at `/filter/<sha256>.wasm`.
    #[arg(long, env = "BEDROCK_WASM", value_name = "FILE")]
    pub wasm: Option<PathBuf>,

    /// Filter module that Envoys have already, as a path inside Envoy's file system.
    #[arg(long, env = "BEDROCK_WASM_PATH_IN_ENVOY", value_name = "PATH")]
    pub wasm_path_in_envoy: Option<String>,

    /// Envoy's name for the cluster that reaches the admin API, for fetching the filter module.
    #[arg(long, env = "BEDROCK_WASM_CLUSTER", default_value = "config-service")]
    pub wasm_cluster: String,

    /// Origin of the admin API as Envoys see it [default: the address of --listen].
    #[arg(long, env = "BEDROCK_WASM_URL_BASE", value_name = "URL")]
    pub wasm_url_base: Option<String>,

    /// Certificates that Envoys trust for TLS upstreams, as a path inside Envoy's file system.
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

    /// What becomes of a request's parameters that nobody knows, in channels that do not say.
    #[arg(
        long,
        env = "BEDROCK_UNKNOWN_PARAMETERS",
        default_value = "leave_out",
        value_parser = PossibleValuesParser::new(["leave_out", "refuse"]).map(unknown_parameters)
    )]
    pub unknown_parameters: UnknownParameters,

    /// Serve Anthropic's `POST /v1/messages` too, as far as docs/ARCHITECTURE.md says.
    #[arg(long, env = "BEDROCK_ANTHROPIC_MESSAGES", value_parser = FalseyValueParser::new())]
    pub anthropic_messages: bool,

    /// Try a request on other channels when one fails; Envoy must have the routes for it.
    #[arg(long, env = "BEDROCK_FAILOVER", value_parser = FalseyValueParser::new())]
    pub failover: bool,

    /// Channels that one request is tried on at most, with --failover.
    #[arg(
        long,
        env = "BEDROCK_MAX_ATTEMPTS",
        default_value_t = Failover::default().max_attempts,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=Failover::MOST_ATTEMPTS as u64)
    )]
    pub max_attempts: usize,

    /// Bytes of requests that a worker of Envoy holds at once for the case of another attempt, with
    /// --failover.
    ///
    /// At least twice --max-request-bytes. A client holds no more than it leaves free; what is more gets a 503.
    #[arg(
        long,
        env = "BEDROCK_MAX_HELD_BYTES",
        value_name = "BYTES",
        default_value_t = Failover::default().max_held_bytes,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=Failover::MOST_HELD_BYTES as u64)
    )]
    pub max_held_bytes: usize,

    /// How long clusters stay in Envoys that the configuration does not name any more, in seconds.
    ///
    /// Requests under way are tried on them. As long as a request may be tried: attempts times the route's
    /// `per_try_timeout`.
    #[arg(
        long,
        env = "BEDROCK_DRAIN_SECONDS",
        value_name = "SECONDS",
        default_value_t = DRAIN_TIME.as_secs(),
        value_parser = clap::value_parser!(u64).range(..=86_400)
    )]
    pub drain_seconds: u64,

    /// Do not tell clients which channel served them and after how many attempts, with --failover.
    #[arg(long, env = "BEDROCK_HIDE_ANSWER_HEADERS", value_parser = FalseyValueParser::new())]
    pub hide_answer_headers: bool,

    /// Accept channels whose `endpoint` is a link-local address or a metadata service.
    #[arg(long, env = "BEDROCK_ALLOW_LINK_LOCAL_ENDPOINTS", value_parser = FalseyValueParser::new())]
    pub allow_link_local_endpoints: bool,

    /// Endpoints, with commas between, that are trusted like AWS's own hosts: with credentials that AWS
    /// issues to this service, and over plain HTTP.
    #[arg(
        long,
        env = "BEDROCK_TRUSTED_ENDPOINTS",
        value_name = "ORIGIN,…",
        value_delimiter = ',',
        value_parser = Endpoint::parse
    )]
    pub trusted_endpoints: Vec<Endpoint>,

    /// Folders from which channels may have tokens of identity providers read, with commas between.
    #[arg(
        long,
        env = "BEDROCK_TOKEN_FILE_DIRS",
        value_name = "FOLDER,…",
        value_delimiter = ',',
        default_value = USUAL_FOLDERS
    )]
    pub token_file_dirs: Vec<TokenFolder>,

    /// Endpoint of AWS STS, instead of the channel's region's own.
    #[arg(
        long,
        env = "AWS_ENDPOINT_URL_STS",
        value_name = "URL",
        value_parser = sts::endpoint
    )]
    pub sts_endpoint: Option<String>,

    /// Format of the log on standard error.
    #[arg(long, env = "BEDROCK_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// One of the two words that the command line takes.
#[expect(clippy::needless_pass_by_value, reason = "clap's signature")]
fn unknown_parameters(word: String) -> UnknownParameters {
    if word == "refuse" {
        UnknownParameters::Refuse
    } else {
        UnknownParameters::LeaveOut
    }
}

impl Args {
    /// Path of the database, and when a new one is made there.
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

    /// The endpoint of STS, if there is another than AWS's.
    #[must_use]
    pub(crate) fn sts_endpoint(&self) -> Option<String> {
        let endpoint = self.sts_endpoint.clone().filter(|url| !url.is_empty())?;
        if sts::is_in_plain_text(&endpoint) {
            tracing::warn!(
                endpoint,
                "STS is called in plain text beyond this machine: the credentials that it issues can be read \
                 on the way; give --sts-endpoint an https:// URL"
            );
        }
        Some(endpoint)
    }

    /// The files for TLS on the xDS port, if it is asked for.
    #[must_use]
    pub fn xds_tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.xds_tls_certificate.clone()?,
            key: self.xds_tls_key.clone()?,
            client_ca: self.xds_tls_client_ca.clone(),
            client_names: self.xds_tls_client_names.clone(),
        })
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
mod tests {
    use super::*;

    fn parse(extra: &[&str]) -> Result<Args, clap::Error> {
        let fixed = ["config-service", "--admin-token", "t0ken"];
        match Cli::try_parse_from(fixed.iter().chain(extra))? {
            Cli::Serve(args) => Ok(*args),
            Cli::Command(command) => panic!("{command:?}"),
        }
    }

    #[test]
    fn a_subcommand_needs_no_option_for_serving() {
        let cli = Cli::try_parse_from(["config-service", "seal", "generate-key"]).unwrap();
        assert!(matches!(
            cli,
            Cli::Command(Command::Seal(SealCommand::GenerateKey))
        ));
        assert!(Cli::try_parse_from(["config-service"]).is_err());
    }

    #[test]
    fn a_broken_key_is_not_repeated() {
        let args = parse(&["--wasm", "a", "--seal-key", "k1:c2VjcmV0"]).unwrap();
        let error = args.seal_key.keys().unwrap_err().to_string();
        assert!(error.contains("BEDROCK_SEAL_KEY"), "{error}");
        assert!(!error.contains("c2VjcmV0"), "{error}");
        assert!(!format!("{args:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let args = parse(&["--wasm-path-in-envoy", "/filter.wasm"]).unwrap();
        assert_eq!(args.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(args.xds_listen.to_string(), "127.0.0.1:18000");
        let (database, create) = args.database();
        assert_eq!(database.to_string_lossy(), "config-service.db");
        assert_eq!(create, Creation::IfNeverUsed);
        assert_eq!(args.upstream_ca_file, "/etc/ssl/certs/ca-certificates.crt");
        assert_eq!(args.max_request_bytes, 32 * 1024 * 1024);
        assert_eq!(args.max_held_bytes, 256 * 1024 * 1024);
        assert!(!format!("{args:?}").contains("t0ken"));
        let folders = args.token_file_dirs.iter().map(|it| format!("{it:?}"));
        assert_eq!(
            folders
                .filter(|it| it.contains("/var/run/secrets/"))
                .count(),
            3
        );
    }

    #[test]
    fn folders_of_tokens_are_judged_at_the_start() {
        let folders = |list: &str| parse(&["--wasm", "a", "--token-file-dirs", list]);
        assert_eq!(folders("/a,/b/c").unwrap().token_file_dirs.len(), 2);
        for list in ["/a,/proc", "/", "tokens", ""] {
            let error = folders(list).unwrap_err().to_string();
            assert!(error.contains("absolute path"), "{error}");
        }
    }

    #[test]
    fn networks_of_proxies_are_judged_at_the_start() {
        let proxies = |list: &str| parse(&["--wasm", "a", "--trusted-proxies", list]);
        assert_eq!(proxies("10.0.0.0/8,::1").unwrap().trusted_proxies.len(), 2);
        for (list, reason) in [
            ("10.0.0.0/8,proxy", "a network is an address"),
            ("10.0.0.0/8,0.0.0.0/0", "any address"),
        ] {
            let error = proxies(list).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn numbers_keep_to_their_ranges() {
        for (flag, good, bad) in [
            ("--max-attempts", ["1", "8"], ["0", "9"]),
            ("--drain-seconds", ["0", "86400"], ["-1", "86401"]),
        ] {
            let with = |value: &str| parse(&["--wasm", "a", &format!("{flag}={value}")]);
            assert!(good.iter().all(|value| with(value).is_ok()), "{flag}");
            assert!(bad.iter().all(|value| with(value).is_err()), "{flag}");
        }
    }

    #[test]
    fn the_module_comes_from_exactly_one_place() {
        assert!(parse(&[]).is_err());
        assert!(parse(&["--wasm", "a", "--wasm-path-in-envoy", "b"]).is_err());
        assert!(parse(&["--wasm", "a"]).is_ok());
    }
}
