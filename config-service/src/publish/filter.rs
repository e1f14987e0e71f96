//! What is configured as the filter reads it: with a key in place of each source of credentials.

use std::collections::BTreeSet;

use bedrock_filter::config::{Channel as FilterChannel, Credentials, PluginConfig};
use bedrock_filter::routes::Routes;
use bedrock_filter::secret::Secret;

use crate::channel::Channel;
use crate::credentials::IssuedCredentials;
use crate::fault::Fault;
use crate::seal::Sealer;
use crate::settings::Settings;
use crate::store::Contents;

/// Judges all channels with the filter's own rules, whether they have credentials yet or not.
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
        let channel = stand_in(&stored.channel);
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

/// All channels with their credentials in clear, or without where AWS has not issued any.
pub(crate) fn ready(
    contents: &Contents,
    settings: &Settings,
    issued: &IssuedCredentials,
) -> PluginConfig {
    let channels = contents.channels.iter().map(|stored| {
        let written = stored.channel.credentials.written();
        let credentials = written.or_else(|| issued.get(&stored.id).cloned());
        let credentials = credentials.unwrap_or(Credentials::Unavailable {});
        stored.channel.clone().with_credentials(credentials)
    });
    plugin_config(contents, settings, channels.collect())
}

/// The document that Envoys get.
pub(super) fn document(mut config: PluginConfig, sealer: &Sealer) -> Result<String, String> {
    for channel in &mut config.channels {
        sealer
            .seal(&channel.name, channel.credentials.secrets_mut())
            .map_err(|error| error.to_string())?;
    }
    serde_json::to_string(&config).map_err(|error| error.to_string())
}

/// Every secret that was written or is sent.
pub(super) fn secrets(contents: &Contents, config: &PluginConfig) -> Vec<Secret> {
    let written = contents.channels.iter();
    let written = written.flat_map(|stored| stored.channel.credentials.secrets());
    let sent = config.channels.iter();
    let sent = sent.flat_map(|channel| channel.credentials.secrets().cloned());
    written.chain(sent).collect()
}

fn plugin_config(
    contents: &Contents,
    settings: &Settings,
    channels: Vec<FilterChannel>,
) -> PluginConfig {
    PluginConfig {
        revision: contents.revision,
        channels,
        limits: settings.limits,
        failover: settings.failover,
        unknown_parameters: settings.unknown_parameters,
        anthropic_messages: settings.anthropic_messages,
        ..PluginConfig::default()
    }
}

/// The channel with a key in place of a source: that from which the source begins, or any. So the filter's
/// rules for keys apply to those inside of sources too.
fn stand_in(channel: &Channel) -> FilterChannel {
    let mut innermost = &channel.credentials;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let any = || Credentials::Static {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("stand-in"),
        session_token: None,
        expires_at: None,
    };
    let credentials = innermost.written().unwrap_or_else(any);
    channel.clone().with_credentials(credentials)
}

/// Makes a pointer into what was judged one into what is configured: what is wrong with a key may be wrong
/// with that of a source.
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
