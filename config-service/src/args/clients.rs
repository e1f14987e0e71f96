//! What clients of the filter find: APIs, paths, and what becomes of what they send.

use std::path::PathBuf;

use bedrock_filter::config::{
    CorsOrigin, MAX_CALLER_METRICS, PathPrefix, ProtocolName, UnknownParameters,
};
use clap::Args;
use clap::builder::{FalseyValueParser, PossibleValuesParser, TypedValueParser};

/// What clients of the filter find.
#[derive(Clone, Debug, Args)]
pub struct Clients {
    /// What happens to unknown request parameters, in channels that do not set this themselves.
    #[arg(
        long,
        env = "BEDROCK_UNKNOWN_PARAMETERS",
        default_value = "leave_out",
        value_parser = PossibleValuesParser::new(["leave_out", "refuse"]).try_map(unknown_parameters)
    )]
    pub unknown_parameters: UnknownParameters,

    /// The APIs that clients may speak; what is not named is left to others.
    #[arg(
        long,
        env = "BEDROCK_PROTOCOLS",
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "openai_chat,openai_responses,anthropic_messages",
        value_parser = protocol()
    )]
    pub protocols: Vec<ProtocolName>,

    /// Prefixes, comma-separated, at which clients find the endpoints too, besides `/v1`.
    ///
    /// `/` serves `/chat/completions`, `/openai/v1` serves `/openai/v1/chat/completions`. A segment `{model}` is the name
    /// of the model: with `/openai/deployments/{model}` clients of Azure's API can ask.
    #[arg(
        long,
        env = "BEDROCK_PATH_PREFIXES",
        value_name = "PATH,…",
        value_delimiter = ','
    )]
    pub path_prefixes: Vec<PathPrefix>,

    /// Origins, comma-separated, whose pages may call the gateway from a browser.
    ///
    /// `https://app.example.com`, `https://*.example.com`, or `*` for every origin.
    #[arg(
        long,
        env = "BEDROCK_CORS_ORIGINS",
        value_name = "ORIGIN,…",
        value_delimiter = ','
    )]
    pub cors_origins: Vec<CorsOrigin>,

    /// Leave `/health` and what is below it on the client's port to others.
    #[arg(long, env = "BEDROCK_NO_HEALTH_ENDPOINTS", value_parser = FalseyValueParser::new())]
    pub no_health_endpoints: bool,

    /// JSON file with exceptions to what of Anthropic's Messages goes on to Claude as the client wrote it.
    #[arg(long, env = "BEDROCK_ANTHROPIC_RULES", value_name = "FILE")]
    pub anthropic_rules: Option<PathBuf>,

    /// JSON file with names that choose a model: by an order, by weight, or by rules about the request.
    #[arg(long, env = "BEDROCK_MODEL_CHOICES", value_name = "FILE")]
    pub model_choices: Option<PathBuf>,

    /// Callers that metrics count by name, at most, in each Envoy worker; later ones count as `other`. 0 counts none.
    #[arg(
        long,
        env = "BEDROCK_CALLER_METRICS",
        value_name = "COUNT",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_CALLER_METRICS))
    )]
    pub caller_metrics: u32,

    /// Have older filters serve Anthropic's `POST /v1/messages`; newer ones do without being told.
    #[arg(long, env = "BEDROCK_ANTHROPIC_MESSAGES", value_parser = FalseyValueParser::new())]
    pub anthropic_messages: bool,
}

/// The name of an API on the command line.
pub(crate) fn protocol() -> impl TypedValueParser<Value = ProtocolName> {
    let names = PossibleValuesParser::new(ProtocolName::ALL.map(ProtocolName::as_str));
    names.try_map(|name| name.parse::<ProtocolName>())
}

/// One of the two words that the command line takes.
#[expect(clippy::needless_pass_by_value, reason = "clap's signature")]
fn unknown_parameters(word: String) -> Result<UnknownParameters, &'static str> {
    match word.as_str() {
        "leave_out" => Ok(UnknownParameters::LeaveOut),
        "refuse" => Ok(UnknownParameters::Refuse),
        _ => Err("use `leave_out` or `refuse`"),
    }
}
