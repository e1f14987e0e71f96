//! Settings for all channels, from the command line.

use std::path::{Path, PathBuf};

use bedrock_filter::config::{
    AnthropicRules, CorsOrigins, Failover, Fault, KeyDigest, Limits, ModelChoices, PathPrefixes,
    PluginConfig, Protocols, StreamKeepAlive, UnknownParameters, UsageReports,
};
use bedrock_filter::endpoint::Endpoint;
use bedrock_filter::routes::Routes;
use serde::de::DeserializeOwned;

use crate::credentials::FilePlaces;
use crate::limit_rules::LimitRules;
use crate::outbound::Outbound;
use crate::seal::Sealer;

/// Settings for all channels.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Sizes that the filter enforces.
    pub limits: Limits,
    /// What happens to unknown parameters, in channels that do not set this themselves.
    pub unknown_parameters: UnknownParameters,
    /// The APIs that clients may speak.
    pub protocols: Protocols,
    /// Where clients find the endpoints, besides `/v1`.
    pub path_prefixes: PathPrefixes,
    /// Whose pages may call the gateway from a browser.
    pub cors_origins: CorsOrigins,
    /// Whether filters leave `/health` and what is below it to others.
    pub no_health_endpoints: bool,
    /// Exceptions to what of Anthropic's Messages goes on as the client wrote it.
    pub anthropic_rules: AnthropicRules,
    /// Names that choose a model, from a file; they count more than stored ones.
    pub model_choices: ModelChoices,
    /// How many callers metrics count by name, at most.
    pub caller_metrics: u32,
    /// Whether filters that do not serve Anthropic's Messages by themselves are told to.
    pub anthropic_messages: bool,
    /// How long clients of streams are left without a sign of life.
    pub stream_keep_alive: StreamKeepAlive,
    /// Where filters report what requests used, if that is recorded.
    pub usage: Option<UsageReports>,
    /// Settings for failover, with the filter on the clusters too.
    pub failover: Option<Failover>,
    /// Hash of the key that may use everything, if there is one.
    pub master_key: Option<KeyDigest>,
    /// Seals what is published.
    pub sealer: Sealer,
    /// Whether an endpoint may lead to a link-local address or a metadata service.
    pub allow_link_local_endpoints: bool,
    /// Endpoints that may get what AWS issues to the service, and may use plain text.
    pub trusted_endpoints: Vec<Endpoint>,
    /// Where files that channels name may be.
    pub file_places: FilePlaces,
    /// Minutes between probes of a channel; 0 for none.
    pub probe_minutes: u32,
    /// How channels are tested.
    pub outbound: Outbound,
    /// The rules of a fleet's own rate limit service.
    pub limit_rules: LimitRules,
}

/// A file with settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there, or may not be read.
    #[error("cannot read {flag} {path}: {source}", path = .path.display())]
    Unreadable {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{flag} {path} does not contain what it should: {source}", path = .path.display())]
    Malformed {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The filter would refuse it.
    #[error("{flag} {path}: {}", told(.faults), path = .path.display())]
    Faulty {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        faults: Vec<Fault>,
    },
}

fn told(faults: &[Fault]) -> String {
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    told.join("; ")
}

/// Reads a JSON file with settings; the default without one.
///
/// # Errors
///
/// See [`FileError`].
pub(crate) async fn read<T: DeserializeOwned + Default>(
    flag: &'static str,
    path: Option<&Path>,
) -> Result<T, FileError> {
    let Some(path) = path else {
        return Ok(T::default());
    };
    let text = tokio::fs::read(path).await;
    let text = text.map_err(|source| FileError::Unreadable {
        flag,
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| FileError::Malformed {
        flag,
        path: path.to_owned(),
        source,
    })
}

/// Reads the names that choose a model, and checks them with the filter's own rules.
///
/// # Errors
///
/// See [`FileError`].
pub(crate) async fn read_choices(path: Option<&Path>) -> Result<ModelChoices, FileError> {
    let flag = "--model-choices";
    let model_choices: ModelChoices = read(flag, path).await?;
    let alone = PluginConfig {
        model_choices: model_choices.clone(),
        ..PluginConfig::default()
    };
    Routes::compile(alone).map_err(|mut faults| {
        for fault in &mut faults {
            let inside = fault.pointer.strip_prefix("/model_choices");
            fault.pointer = inside.unwrap_or(&fault.pointer).to_owned();
        }
        FileError::Faulty {
            flag,
            path: path.map(Path::to_owned).unwrap_or_default(),
            faults,
        }
    })?;
    Ok(model_choices)
}
