//! Checks a [`PluginConfig`] and compiles it to [`Routes`].

mod channel;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::choice::{self, Choices};
use super::index::Index;
use super::keys::KeysByModel;
use super::{CompiledChannel, Destination, Routes};
use crate::callers::Callers;
use crate::config::{
    Channel, Failover, Fault, Limits, MAX_CALLER_METRICS, PluginConfig, ProtocolName, SCHEMA,
    SignedBy, StreamKeepAlive, UnknownParameters, UsageReports,
};
use crate::endpoint::Endpoint;
use crate::sign::Signer;
use channel::{check_model_name, own_endpoint, public_endpoint};

pub(super) fn compile(config: PluginConfig) -> Result<Routes, Vec<Fault>> {
    let faults = check(&config);
    if !faults.is_empty() {
        return Err(faults);
    }
    let unknown = config.unknown_parameters;
    let protocols = match config.anthropic_messages {
        Some(false) => config.protocols.without(ProtocolName::AnthropicMessages),
        _ => config.protocols,
    };
    let channels = config
        .channels
        .into_iter()
        .enumerate()
        .map(|(index, channel)| {
            compile_channel(channel, unknown)
                .map_err(|fault| fault.below(&format!("/channels/{index}")))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|fault| vec![fault])?;
    Ok(Routes {
        index: Index::of(&channels),
        channels,
        callers: Callers::new(config.callers),
        limits: config.limits,
        failover: config.failover,
        protocols,
        path_prefixes: config.path_prefixes,
        cors_origins: config.cors_origins,
        health_endpoints: config.health_endpoints,
        anthropic_rules: config.anthropic_rules,
        stream_keep_alive_seconds: config.stream_keep_alive_seconds.0,
        choices: Choices::of(config.model_choices),
        caller_metrics: config.caller_metrics,
        usage: config.usage,
        revision: config.revision,
        keys: Arc::default(),
        listed: OnceLock::new(),
        suggestions: OnceLock::new(),
    })
}

fn check(config: &PluginConfig) -> Vec<Fault> {
    let mut faults = Vec::new();
    if config.schema != SCHEMA {
        let reason = format!(
            "is {}, but this filter reads schema {SCHEMA}; update the filter or the config-service",
            config.schema
        );
        faults.push(Fault::new("/schema", "unsupported_schema", reason));
    }
    faults.extend(check_limits(config.limits));
    if config.protocols.is_empty() {
        let reason = "names no API, so that nothing would be served; leave it out to serve all";
        faults.push(Fault::new("/protocols", "no_protocol", reason));
    }
    faults.extend(config.path_prefixes.faults());
    faults.extend(config.cors_origins.faults());
    faults.extend(choice::check(&config.model_choices, check_model_name));
    let StreamKeepAlive(seconds) = config.stream_keep_alive_seconds;
    if seconds > StreamKeepAlive::MAX {
        let most = StreamKeepAlive::MAX;
        let reason = format!("is {seconds}, but must be 0 to {most}; 0 sends no signs of life");
        faults.push(Fault::new(
            "/stream_keep_alive_seconds",
            "out_of_range",
            reason,
        ));
    }
    if config.caller_metrics > MAX_CALLER_METRICS {
        let reason = format!(
            "is {}, but must be 0 to {MAX_CALLER_METRICS}",
            config.caller_metrics
        );
        faults.push(Fault::new("/caller_metrics", "out_of_range", reason));
    }
    faults.extend(config.usage.as_ref().and_then(UsageReports::fault));
    if let Some(failover) = config.failover {
        faults.extend(check_failover(failover, config.limits));
    }
    if let Some(callers) = &config.callers {
        let own = callers.faults();
        faults.extend(own.into_iter().map(|fault| fault.below("/callers")));
    }
    let mut names = BTreeSet::new();
    for (index, channel) in config.channels.iter().enumerate() {
        let prefix = format!("/channels/{index}");
        if !names.insert(channel.name.as_str()) {
            let reason = format!(
                "`{}` is already the name of an earlier channel",
                channel.name
            );
            let path = format!("{prefix}/name");
            faults.push(Fault::new(path, "duplicate_name", reason));
        }
        let own = channel::check(channel);
        faults.extend(own.into_iter().map(|fault| fault.below(&prefix)));
    }
    faults
}

fn compile_channel(channel: Channel, unknown: UnknownParameters) -> Result<CompiledChannel, Fault> {
    let endpoint = endpoint(&channel)?;
    let unknown = channel.unknown_parameters.unwrap_or(unknown);
    Ok(CompiledChannel {
        refuses_unknown: !unknown.is_leave_out(),
        authority: endpoint.authority(),
        cluster: cluster(&channel, &endpoint),
        destination: Destination::new(&endpoint, &channel.region, channel.signer),
        signer: Signer::new(&channel.credentials, &channel.region, channel.signer),
        endpoint,
        keys: KeysByModel::of(&channel),
        channel,
    })
}

/// The endpoint's cluster, or one of the channel's own if Envoy signs there with its credentials.
fn cluster(channel: &Channel, endpoint: &Endpoint) -> String {
    let shared = endpoint.cluster_name();
    match channel.signer {
        SignedBy::Filter => shared,
        SignedBy::Envoy => format!("{shared}|{}", channel.name),
    }
}

fn check_failover(failover: Failover, limits: Limits) -> Vec<Fault> {
    // A client leaves as much free as it takes up.
    let least = limits.max_request_bytes.saturating_mul(2);
    let held = (least, Failover::MAX_HELD_BYTES);
    let ranges = [
        (
            "/failover/max_attempts",
            failover.max_attempts,
            (1, Failover::MAX_ATTEMPTS),
        ),
        ("/failover/max_held_bytes", failover.max_held_bytes, held),
    ];
    ranges
        .into_iter()
        .filter(|(_, value, (least, most))| !(least..=most).contains(&value))
        .map(|(path, value, (least, most))| {
            let reason = format!("is {value}, but must be {least} to {most}");
            Fault::new(path, "out_of_range", reason)
        })
        .collect()
}

fn check_limits(limits: Limits) -> Vec<Fault> {
    [
        ("/limits/max_request_bytes", limits.max_request_bytes),
        ("/limits/max_response_bytes", limits.max_response_bytes),
    ]
    .into_iter()
    .filter(|(_, bytes)| *bytes == 0)
    .map(|(path, _)| Fault::new(path, "out_of_range", "must be at least 1 byte"))
    .collect()
}

fn endpoint(channel: &Channel) -> Result<Endpoint, Fault> {
    let public = public_endpoint(channel)?;
    Ok(own_endpoint(channel)?.unwrap_or(public))
}

#[cfg(test)]
mod tests;
