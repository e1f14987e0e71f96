//! The compiled configuration: from the name a client asks for to the channel and model that serve it.

mod compile;
mod nearest;
mod pools;
mod resolve;
#[cfg(test)]
pub(crate) mod testing;

pub use pools::Pool;
pub use resolve::{ModelRule, ResolveError, Route};

use std::collections::BTreeSet;

use crate::catalog;
use crate::config::{Channel, Failover, Fault, Limits, ModelIds, PluginConfig};
use crate::endpoint::Endpoint;
use crate::sign::Signer;

/// Everything the filter needs at run time, checked once.
#[derive(Debug)]
pub struct Routes {
    channels: Vec<CompiledChannel>,
    limits: Limits,
    failover: Option<Failover>,
    anthropic_messages: bool,
    revision: u64,
}

/// A channel that passed [`Routes::compile`].
#[derive(Debug)]
pub struct CompiledChannel {
    /// What the administrator wrote.
    pub channel: Channel,
    /// Where its requests go.
    pub endpoint: Endpoint,
    /// `Host` of its requests, as signed.
    pub authority: String,
    /// Envoy cluster of the endpoint, or of the channel if Envoy signs for it.
    pub cluster: String,
    /// Whether a request with parameters that nobody knows is refused.
    pub refuses_unknown: bool,
    /// Authenticates requests for the channel's region with its credentials.
    pub signer: Signer,
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

    /// Sizes that the filter enforces.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether Anthropic's Messages API is served.
    #[must_use]
    pub fn serves_anthropic_messages(&self) -> bool {
        self.anthropic_messages
    }

    /// Settings of failover, where the filter stands on the clusters too.
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
        self.channels.iter().any(|own| own.channel.name == name)
    }

    /// One channel for each Envoy cluster that the enabled channels need.
    pub fn clusters(&self) -> impl Iterator<Item = &CompiledChannel> {
        let mut seen = BTreeSet::new();
        self.enabled()
            .filter(move |channel| seen.insert(channel.cluster.as_str()))
    }

    /// Names that `GET /v1/models` shows: what a client can ask for, sorted; never an ARN.
    #[must_use]
    pub fn model_names(&self) -> BTreeSet<&str> {
        let mut names = self.written_names();
        names.retain(|name| self.serves(name));
        names
    }

    /// Names that channels write or know, sorted, whether a request for them could be sent or not: to find that
    /// out for each of them costs more than a chat.
    fn written_names(&self) -> BTreeSet<&str> {
        self.enabled()
            .flat_map(|channel| names(&channel.channel))
            .filter(|name| !name.starts_with("arn:"))
            .collect()
    }

    /// The channels that can be called, as far as the configuration says: enabled, and with credentials.
    fn ready(&self) -> impl Iterator<Item = &CompiledChannel> {
        self.enabled()
            .filter(|channel| channel.channel.credentials.are_there())
    }

    fn enabled(&self) -> impl Iterator<Item = &CompiledChannel> {
        self.channels
            .iter()
            .filter(|channel| channel.channel.enabled)
    }
}

/// The names of one channel: its list, or everything that it knows by name and clients may ask for.
fn names(channel: &Channel) -> Box<dyn Iterator<Item = &str> + '_> {
    if !channel.models.is_empty() {
        return Box::new(channel.models.iter().map(String::as_str));
    }
    let own = channel
        .model_mapping
        .keys()
        .chain(channel.inference_profile_arn_map.keys())
        .map(String::as_str);
    if channel.allow_model_ids == ModelIds::None {
        return Box::new(own);
    }
    let known = catalog::models().map(|model| model.aliases.first().copied().unwrap_or(model.id));
    Box::new(own.chain(known))
}
