//! The compiled configuration: from the name that a client asks for to the channel and model that serve it.

mod choice;
mod compile;
mod foreign;
mod index;
mod keys;
mod listed;
mod nearest;
mod permitted;
mod pools;
mod refusal;
mod resolve;
#[cfg(test)]
pub(crate) mod testing;

pub use choice::{Chosen, Facts, Reason};
pub use listed::Listed;
pub use permitted::Permitted;
pub use pools::{Destination, Pool, pool_cluster};
pub use refusal::ResolveError;
pub use resolve::{ModelRule, Route};

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use crate::callers::Callers;
use crate::catalog;
use crate::config::{
    AnthropicRules, Channel, CorsOrigins, Failover, Fault, Limits, ModelIds, PathPrefixes,
    PluginConfig, Protocols, UsageReports,
};
use crate::endpoint::Endpoint;
use crate::seal::SealKeys;
use crate::sign::Signer;
use choice::Choices;
use index::Index;
use keys::KeysByModel;
use nearest::Suggestions;

/// Everything the filter needs at run time, checked once.
#[derive(Debug)]
pub struct Routes {
    channels: Vec<CompiledChannel>,
    callers: Callers,
    limits: Limits,
    failover: Option<Failover>,
    protocols: Protocols,
    path_prefixes: PathPrefixes,
    cors_origins: CorsOrigins,
    health_endpoints: bool,
    anthropic_rules: AnthropicRules,
    stream_keep_alive_seconds: u32,
    choices: Choices,
    caller_metrics: u32,
    usage: Option<UsageReports>,
    revision: u64,
    keys: Arc<SealKeys>,
    index: Index,
    listed: OnceLock<Vec<Listed>>,
    suggestions: OnceLock<Suggestions>,
}

/// A channel that passed [`Routes::compile`].
#[derive(Debug)]
pub struct CompiledChannel {
    /// As the administrator configured it.
    pub channel: Channel,
    /// Where its requests go.
    pub endpoint: Endpoint,
    /// `Host` of its requests, as signed.
    pub authority: String,
    /// Envoy cluster of the endpoint, or of the channel if Envoy signs for it.
    pub cluster: String,
    /// What tells its pools' clusters from those before an edit of the endpoint.
    pub destination: Destination,
    /// Whether a request with unknown parameters is refused.
    pub refuses_unknown: bool,
    /// Authenticates requests for the channel's region with its credentials.
    pub signer: Signer,
    keys: KeysByModel,
}

impl Routes {
    /// Checks a configuration and makes it ready for use.
    ///
    /// # Errors
    ///
    /// Every fault, each with the JSON pointer of its field.
    pub fn compile(config: PluginConfig) -> Result<Self, Vec<Fault>> {
        compile::compile(config)
    }

    /// The same with the keys of the environment, which seal what clients are to send back.
    #[must_use]
    pub fn with_keys(self, keys: SealKeys) -> Self {
        Self {
            keys: Arc::new(keys),
            ..self
        }
    }

    /// Those keys.
    #[must_use]
    pub fn seal_keys(&self) -> &Arc<SealKeys> {
        &self.keys
    }

    /// Who may call.
    #[must_use]
    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    /// Size limits of the filter.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How many callers are counted by name, at most.
    #[must_use]
    pub fn caller_metrics(&self) -> u32 {
        self.caller_metrics
    }

    /// The APIs that clients may speak.
    #[must_use]
    pub fn protocols(&self) -> &Protocols {
        &self.protocols
    }

    /// Where clients find the endpoints, besides `/v1`.
    #[must_use]
    pub fn path_prefixes(&self) -> &PathPrefixes {
        &self.path_prefixes
    }

    /// Whose pages may call the gateway from a browser.
    #[must_use]
    pub fn cors_origins(&self) -> &CorsOrigins {
        &self.cors_origins
    }

    /// Whether `/health` and what is below it are the filter's.
    #[must_use]
    pub fn has_health_endpoints(&self) -> bool {
        self.health_endpoints
    }

    /// Exceptions to what of Anthropic's Messages goes on as the client wrote it.
    #[must_use]
    pub fn anthropic_rules(&self) -> &AnthropicRules {
        &self.anthropic_rules
    }

    /// Seconds after which the client of a silent stream gets a sign of life; 0 for never.
    #[must_use]
    pub fn stream_keep_alive_seconds(&self) -> u32 {
        self.stream_keep_alive_seconds
    }

    /// Where it is reported what requests used, if that is recorded.
    #[must_use]
    pub fn usage(&self) -> Option<&UsageReports> {
        self.usage.as_ref()
    }

    /// Settings of failover, if the clusters have the filter too.
    #[must_use]
    pub fn failover(&self) -> Option<Failover> {
        self.failover
    }

    /// Revision of the config-service that this was compiled from.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether there is a channel of this name, enabled or not.
    #[must_use]
    pub fn has_channel(&self, name: &str) -> bool {
        self.by_name(name).is_some()
    }

    /// The region of a channel.
    #[must_use]
    pub fn region(&self, channel: &str) -> Option<&str> {
        self.by_name(channel).map(|own| own.channel.region.as_str())
    }

    fn by_name(&self, name: &str) -> Option<&CompiledChannel> {
        let mut found = self.index.channel(name);
        found.find_map(|position| {
            let own = self.channels.get(position as usize)?;
            (own.channel.name == name).then_some(own)
        })
    }

    /// One channel for each Envoy cluster that the enabled channels need.
    pub fn clusters(&self) -> impl Iterator<Item = &CompiledChannel> {
        let mut seen = BTreeSet::new();
        self.enabled()
            .filter(move |channel| seen.insert(channel.cluster.as_str()))
    }

    /// Names that channels configure or know, sorted, whether or not a request for them could be sent: finding that
    /// out for each of them costs more than a chat. They are put together once.
    fn suggestions(&self) -> &Suggestions {
        self.suggestions.get_or_init(|| {
            let names = self.enabled().flat_map(|own| names(&own.channel));
            let names: BTreeSet<_> = names.filter(|name| !name.starts_with("arn:")).collect();
            Suggestions::of(names)
        })
    }

    /// The channels that can be called, as far as the configuration tells: enabled, and with credentials.
    fn ready(&self) -> impl Iterator<Item = &CompiledChannel> {
        self.enabled().filter(|channel| channel.is_ready())
    }

    /// The enabled channels, in the order of the configuration.
    pub fn enabled(&self) -> impl Iterator<Item = &CompiledChannel> {
        self.channels
            .iter()
            .filter(|channel| channel.channel.enabled)
    }
}

impl CompiledChannel {
    fn is_ready(&self) -> bool {
        self.channel.credentials.are_there()
    }
}

/// The names of one channel: its list, or everything that it knows by name and clients may ask for.
fn names(channel: &Channel) -> Box<dyn Iterator<Item = &str> + '_> {
    let own = channel.written_names().map(String::as_str);
    if !channel.models.is_empty() || channel.allow_model_ids == ModelIds::None {
        return Box::new(own);
    }
    let known = catalog::models().map(|model| model.aliases.first().copied().unwrap_or(model.id));
    Box::new(own.chain(known))
}
