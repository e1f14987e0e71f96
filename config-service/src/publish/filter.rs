//! The configuration as the filter reads it, with a key instead of each source of credentials.

use std::collections::BTreeSet;

use bedrock_filter::config::{
    Channel as FilterChannel, Credentials, NameMatch, PluginConfig, shares_entries,
};
use bedrock_filter::routes::Routes;
use bedrock_filter::secret::Secret;

use crate::channel::{Channel, StoredChannel};
use crate::credentials::IssuedCredentials;
use crate::discovery;
use crate::fault::Fault;
use crate::model_choice::merged;
use crate::seal::{SealError, Sealer};
use crate::settings::Settings;
use crate::store::Contents;

/// Checks all channels with the filter's own rules, whether or not they have credentials yet.
pub(super) fn judge(contents: &Contents, settings: &Settings) -> Result<Routes, Vec<Fault>> {
    explained(contents, settings, &BTreeSet::new())
}

/// All channels as if AWS had issued credentials for each, except for those with the ids in `lacking`.
pub(crate) fn explained(
    contents: &Contents,
    settings: &Settings,
    lacking: &BTreeSet<String>,
) -> Result<Routes, Vec<Fault>> {
    let channels = contents.channels.iter();
    let stand_ins = channels.map(|stored| {
        let channel = stand_in(as_served(stored));
        if lacking.contains(&stored.id) {
            return channel.with_credentials(Credentials::Unavailable {});
        }
        channel
    });
    let stand_ins = stand_ins.collect();
    let config = plugin_config(contents, settings, stand_ins);
    Routes::compile(config).map_err(|mut faults| {
        for fault in &mut faults {
            below_source(&mut fault.pointer, contents);
        }
        faults
    })
}

/// All channels with their credentials in clear text, or without credentials if AWS has not issued any.
pub(crate) fn ready(
    contents: &Contents,
    settings: &Settings,
    issued: &IssuedCredentials,
) -> PluginConfig {
    let channels = contents.channels.iter().map(|stored| {
        let written = stored.channel.credentials.written();
        let credentials = written.or_else(|| issued.get(&stored.id).cloned());
        let credentials = credentials.unwrap_or(Credentials::Unavailable {});
        let mut channel = as_served(stored);
        // These are for this service, which has already checked them; earlier filters would not know them.
        channel.models_mode = None;
        channel.discovery_hours = 0;
        channel.with_credentials(credentials)
    });
    plugin_config(contents, settings, channels.collect())
}

/// Why there is no document for Envoys.
#[derive(Debug, thiserror::Error)]
pub(super) enum DocumentError {
    /// A secret cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The document that Envoys get.
pub(super) fn document(mut config: PluginConfig, sealer: &Sealer) -> Result<String, DocumentError> {
    for channel in &mut config.channels {
        sealer.seal(&channel.name, channel.credentials.secrets_mut())?;
    }
    Ok(serde_json::to_string(&config)?)
}

/// Every secret that was entered or is sent.
pub(super) fn secrets(contents: &Contents, config: &PluginConfig) -> Vec<Secret> {
    let written = contents.channels.iter();
    let written = written.flat_map(|stored| stored.channel.credentials.secrets());
    let sent = config.channels.iter();
    let sent = sent.flat_map(|channel| channel.credentials.secrets().cloned());
    written.chain(sent).collect()
}

/// The channel, with what is known about its account.
fn as_served(stored: &StoredChannel) -> Channel {
    discovery::effective(&stored.channel, stored.discovery.as_ref())
}

fn plugin_config(
    contents: &Contents,
    settings: &Settings,
    mut channels: Vec<FilterChannel>,
) -> PluginConfig {
    // An older filter refuses the field, so it stays out where it changes nothing.
    for channel in channels.iter_mut().filter(|own| !shares_entries(own)) {
        channel.r#match = NameMatch::Exact;
    }
    PluginConfig {
        revision: contents.revision,
        channels,
        callers: match &settings.usage {
            Some(_) => contents.callers.foreseen(settings.master_key),
            None => contents.callers.served(settings.master_key),
        },
        limits: settings.limits,
        failover: settings.failover,
        unknown_parameters: settings.unknown_parameters,
        protocols: settings.protocols.clone(),
        path_prefixes: settings.path_prefixes.clone(),
        cors_origins: settings.cors_origins.clone(),
        health_endpoints: !settings.no_health_endpoints,
        anthropic_rules: settings.anthropic_rules.clone(),
        model_choices: merged(&contents.choices, &settings.model_choices),
        caller_metrics: settings.caller_metrics,
        stream_keep_alive_seconds: settings.stream_keep_alive,
        usage: settings.usage.clone(),
        anthropic_messages: settings.anthropic_messages.then_some(true),
        ..PluginConfig::default()
    }
}

/// The channel with a key instead of a source: the one from which the source starts, or any. That way the
/// filter's rules for keys also apply to those inside sources.
fn stand_in(channel: Channel) -> FilterChannel {
    let mut innermost = &channel.credentials;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let credentials = innermost.written().unwrap_or_else(any_key);
    channel.with_credentials(credentials)
}

/// A key that the filter's rules accept.
pub(super) fn any_key() -> Credentials {
    Credentials::Static {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("stand-in"),
        session_token: None,
        expires_at: None,
    }
}

/// Converts a pointer into what was checked to one into the configuration: a fault in a key may be in that
/// of a source.
fn below_source(pointer: &mut String, contents: &Contents) {
    let place = pointer.strip_prefix("/channels/").and_then(|rest| {
        let (index, field) = rest.split_once("/credentials/")?;
        let stored = contents.channels.get(index.parse::<usize>().ok()?)?;
        let mut at = format!("/channels/{index}/credentials");
        let mut credentials = &stored.channel.credentials;
        while let Some(source) = credentials.source() {
            at.push_str("/source");
            credentials = source;
        }
        Some(format!("{at}/{field}"))
    });
    if let Some(place) = place {
        *pointer = place;
    }
}
