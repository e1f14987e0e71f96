//! Checks a [`PluginConfig`] and compiles it to [`Routes`].

use std::collections::{BTreeMap, BTreeSet};

use super::{CompiledChannel, Routes};
use crate::arn::MAX_MODEL_ID_LEN;
use crate::config::{
    Channel, Credentials, Failover, Fault, Guardrail, Limits, MAX_TIMEOUT_SECONDS, MAX_WEIGHT,
    PluginConfig, SCHEMA, SignedBy, TextFault, UnknownParameters, escape_pointer, is_name,
};
use crate::endpoint::{Endpoint, HostVariant};
use crate::sign::Signer;

pub(super) fn compile(config: PluginConfig) -> Result<Routes, Vec<Fault>> {
    let faults = check(&config);
    if !faults.is_empty() {
        return Err(faults);
    }
    let unknown = config.unknown_parameters;
    let channels = config
        .channels
        .into_iter()
        .enumerate()
        .map(|(index, channel)| {
            compile_channel(channel, unknown)
                .map_err(|fault| fault.below(&format!("/channels/{index}")))
        })
        .collect::<Result<_, _>>()
        .map_err(|fault| vec![fault])?;
    Ok(Routes {
        channels,
        limits: config.limits,
        failover: config.failover,
        anthropic_messages: config.anthropic_messages,
        revision: config.revision,
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
    if let Some(failover) = config.failover {
        faults.extend(check_failover(failover, config.limits));
    }
    let mut names = BTreeSet::new();
    for (index, channel) in config.channels.iter().enumerate() {
        let prefix = format!("/channels/{index}");
        if !names.insert(channel.name.as_str()) {
            let reason = format!("`{}` is the name of an earlier channel too", channel.name);
            let path = format!("{prefix}/name");
            faults.push(Fault::new(path, "duplicate_name", reason));
        }
        let own = check_channel(channel);
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
        signer: Signer::new(&channel.credentials, &channel.region, channel.signer),
        endpoint,
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
    // A client leaves as much free as it holds.
    let least = limits.max_request_bytes.saturating_mul(2);
    let held = (least, Failover::MOST_HELD_BYTES);
    let ranges = [
        (
            "/failover/max_attempts",
            failover.max_attempts,
            (1, Failover::MOST_ATTEMPTS),
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

/// Faults of one channel; paths are relative to it.
fn check_channel(channel: &Channel) -> Vec<Fault> {
    let mut faults = Vec::new();
    faults.extend(check_name(&channel.name));
    match (public_endpoint(channel), own_endpoint(channel)) {
        (Ok(_), Ok(Some(own))) => faults.extend(check_region(channel, &own)),
        (region, endpoint) => faults.extend(region.err().into_iter().chain(endpoint.err())),
    }
    faults.extend(channel.credentials.faults());
    faults.extend(check_signer(channel));
    if !(1..=MAX_WEIGHT).contains(&channel.weight) {
        let reason = format!("is {}, but must be 1 to {MAX_WEIGHT}", channel.weight);
        faults.push(Fault::new("/weight", "out_of_range", reason));
    }
    faults.extend(check_timeouts(channel));
    for (index, model) in channel.models.iter().enumerate() {
        faults.extend(check_model_name(&format!("/models/{index}"), model));
    }
    faults.extend(check_map("/model_mapping", &channel.model_mapping));
    let arns = &channel.inference_profile_arn_map;
    faults.extend(check_map("/inference_profile_arn_map", arns));
    let keyed = [
        (
            "/model_families",
            channel.model_families.keys().collect::<Vec<_>>(),
        ),
        ("/model_apis", channel.model_apis.keys().collect()),
    ];
    for (path, name) in keyed
        .into_iter()
        .flat_map(|(path, names)| names.into_iter().map(move |name| (path, name)))
    {
        let path = format!("{path}/{}", escape_pointer(name));
        faults.extend(check_model_name(&path, name));
    }
    if let Some(Err((field, reason))) = channel.guardrail.as_ref().map(Guardrail::check) {
        let field = match field {
            "guardrailVersion" => "version",
            _ => "identifier",
        };
        let path = format!("/guardrail/{field}");
        faults.push(Fault::new(path, "invalid_guardrail", reason));
    }
    faults
}

fn check_name(name: &str) -> Option<Fault> {
    (!is_name(name)).then(|| {
        let reason = "must be 1 to 64 letters, digits, `.`, `_` or `-`, starting with a letter or \
                      digit (it becomes a metric label)";
        Fault::new("/name", "invalid_name", reason)
    })
}

fn endpoint(channel: &Channel) -> Result<Endpoint, Fault> {
    let public = public_endpoint(channel)?;
    Ok(own_endpoint(channel)?.unwrap_or(public))
}

fn public_endpoint(channel: &Channel) -> Result<Endpoint, Fault> {
    let variant = if channel.fips {
        HostVariant::Fips
    } else {
        HostVariant::Standard
    };
    Endpoint::of_region(&channel.region, variant)
        .map_err(|error| Fault::new("/region", "invalid_region", error.to_string()))
}

fn own_endpoint(channel: &Channel) -> Result<Option<Endpoint>, Fault> {
    let own = channel.endpoint.as_deref().map(Endpoint::parse).transpose();
    own.map_err(|error| Fault::new("/endpoint", "invalid_endpoint", error.to_string()))
}

/// AWS refuses a signature whose region is not the endpoint's own.
fn check_region(channel: &Channel, endpoint: &Endpoint) -> Option<Fault> {
    let host_region = endpoint
        .aws_region()
        .filter(|region| *region != channel.region)?;
    let reason = format!(
        "is in region {host_region}, but the channel signs for {}; set `region` to {host_region}",
        channel.region
    );
    Some(Fault::new("/endpoint", "region_mismatch", reason))
}

fn check_timeouts(channel: &Channel) -> impl Iterator<Item = Fault> {
    let timeouts = [
        (
            "/first_byte_timeout_seconds",
            channel.first_byte_timeout_seconds,
        ),
        ("/request_timeout_seconds", channel.request_timeout_seconds),
    ];
    let wrong = timeouts
        .into_iter()
        .filter(|(_, seconds)| !(1..=MAX_TIMEOUT_SECONDS).contains(seconds));
    wrong.map(|(path, seconds)| {
        let reason = format!("is {seconds}, but must be 1 to {MAX_TIMEOUT_SECONDS} seconds");
        Fault::new(path, "out_of_range", reason)
    })
}

fn check_signer(channel: &Channel) -> Option<Fault> {
    let is_bearer = matches!(channel.credentials, Credentials::BedrockApiKey { .. });
    if is_bearer {
        channel.signer.fault_of_bearer()
    } else {
        None
    }
}

fn check_map(path: &str, map: &BTreeMap<String, String>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (key, value) in map {
        let path = format!("{path}/{}", escape_pointer(key));
        if let Some(fault) = check_model_name(&path, key) {
            let reason = format!("has a key that {}", fault.message);
            faults.push(Fault::new(path.clone(), "invalid_key", reason));
        }
        if let Some(fault) = check_model_name(&path, value) {
            let reason = format!("has a value that {}", fault.message);
            faults.push(Fault::new(path, "invalid_value", reason));
        }
    }
    faults
}

fn check_model_name(path: &str, name: &str) -> Option<Fault> {
    let reason = match TextFault::all(name).first() {
        Some(TextFault::Blank) => "is empty",
        Some(TextFault::Padded) => "starts or ends with white space",
        Some(TextFault::Control) => "contains a control character",
        None if name.len() > MAX_MODEL_ID_LEN => "is longer than 2048 bytes",
        None => return None,
    };
    Some(Fault::new(path, "invalid_model_name", reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The faults, as `path code`, of a valid channel in which `patch` replaced some fields.
    #[track_caller]
    fn check(patch: &serde_json::Value, expected: &[&str]) {
        let mut channel = serde_json::json!({
            "name": "a",
            "region": "us-east-1",
            "credentials": {
                "type": "static",
                "access_key_id": "AKIDEXAMPLE",
                "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
            }
        });
        for (key, value) in patch.as_object().unwrap() {
            channel[key] = value.clone();
        }
        let config = serde_json::json!({ "channels": [channel] }).to_string();
        let faults = Routes::compile(PluginConfig::from_json(config.as_bytes()).unwrap())
            .err()
            .unwrap_or_default();
        let seen: Vec<_> = faults
            .iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn every_fault_is_found_at_once() {
        check(
            &serde_json::json!({
                "name": "two words",
                "region": "moon",
                "endpoint": "ftp://x",
                "models": ["ok", ""],
                "model_mapping": {"a": " b"},
                "inference_profile_arn_map": {"": "arn", "m": ""},
                "model_families": {"\t": "anthropic"},
                "credentials": {"type": "static", "access_key_id": "", "secret_access_key": "a b"}
            }),
            &[
                "/channels/0/name invalid_name",
                "/channels/0/region invalid_region",
                "/channels/0/endpoint invalid_endpoint",
                "/channels/0/credentials/access_key_id invalid_access_key_id",
                "/channels/0/credentials/secret_access_key invalid_secret",
                "/channels/0/models/1 invalid_model_name",
                "/channels/0/model_mapping/a invalid_value",
                "/channels/0/inference_profile_arn_map/ invalid_key",
                "/channels/0/inference_profile_arn_map/m invalid_value",
                "/channels/0/model_families/\t invalid_model_name",
            ],
        );
    }

    #[test]
    fn the_endpoint_must_be_in_the_region_that_is_signed_for() {
        let host = |region: &str| serde_json::json!({"endpoint": format!("https://bedrock-runtime-fips.{region}.amazonaws.com")});
        check(&host("us-east-1"), &[]);
        check(
            &host("us-west-2"),
            &["/channels/0/endpoint region_mismatch"],
        );
        check(
            &serde_json::json!({"endpoint": "https://bedrock.corp.internal"}),
            &[],
        );
        check(
            &serde_json::json!({"endpoint": "bedrock.corp.internal"}),
            &["/channels/0/endpoint invalid_endpoint"],
        );
    }

    #[test]
    fn a_secret_that_is_still_sealed_is_no_secret() {
        let credentials = |key: &str| serde_json::json!({"credentials": {"type": "bedrock_api_key", "api_key": key}});
        check(&credentials("ABSKexample"), &[]);
        let fault = ["/channels/0/credentials/api_key invalid_secret"];
        check(&credentials("sealed:v1:k:AAAA"), &fault);
    }

    #[test]
    fn timeouts_are_a_second_to_an_hour() {
        check(
            &serde_json::json!({"first_byte_timeout_seconds": 3600, "request_timeout_seconds": 1}),
            &[],
        );
        check(
            &serde_json::json!({"first_byte_timeout_seconds": 0, "request_timeout_seconds": 3601}),
            &[
                "/channels/0/first_byte_timeout_seconds out_of_range",
                "/channels/0/request_timeout_seconds out_of_range",
            ],
        );
    }

    #[test]
    fn envoy_signs_with_an_access_key_alone() {
        check(&serde_json::json!({"signer": "envoy"}), &[]);
        let key = serde_json::json!({"type": "bedrock_api_key", "api_key": "k"});
        check(
            &serde_json::json!({"signer": "envoy", "credentials": key}),
            &["/channels/0/signer nothing_to_sign"],
        );
    }

    #[test]
    fn names_are_unique_and_the_schema_is_known() {
        let config = r#"{"schema":2,"limits":{"max_request_bytes":0}}"#;
        let faults = Routes::compile(PluginConfig::from_json(config.as_bytes()).unwrap());
        let faults = faults.unwrap_err();
        assert_eq!(faults[0].pointer, "/schema");
        assert_eq!(faults[1].pointer, "/limits/max_request_bytes");
    }
}
