//! The rules for one channel.

use std::collections::BTreeMap;

use crate::arn::MAX_MODEL_ID_LEN;
use crate::config::{
    Channel, Credentials, Fault, Guardrail, MAX_DISCOVERY_HOURS, MAX_TIMEOUT_SECONDS, MAX_WEIGHT,
    ModelsMode, TextFault, escape_pointer, is_name,
};
use crate::endpoint::{Endpoint, HostVariant};

/// Faults of one channel; paths are relative to it.
pub(super) fn check(channel: &Channel) -> Vec<Fault> {
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
    if channel.discovery_hours > MAX_DISCOVERY_HOURS {
        let reason = format!(
            "is {}, but must be 0 to {MAX_DISCOVERY_HOURS} hours",
            channel.discovery_hours
        );
        faults.push(Fault::new("/discovery_hours", "out_of_range", reason));
    }
    if channel.models_mode == Some(ModelsMode::Allowlist) && channel.models.is_empty() {
        let reason = "is empty, but `models_mode` is `allowlist`, which serves these names alone; name some, or \
                      leave `models_mode` out";
        faults.push(Fault::new("/models", "models_required", reason));
    }
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

pub(super) fn public_endpoint(channel: &Channel) -> Result<Endpoint, Fault> {
    let variant = if channel.fips {
        HostVariant::Fips
    } else {
        HostVariant::Standard
    };
    Endpoint::of_region(&channel.region, variant)
        .map_err(|error| Fault::new("/region", "invalid_region", error.to_string()))
}

pub(super) fn own_endpoint(channel: &Channel) -> Result<Option<Endpoint>, Fault> {
    let own = channel.endpoint.as_deref().map(Endpoint::parse).transpose();
    own.map_err(|error| Fault::new("/endpoint", "invalid_endpoint", error.to_string()))
}

/// AWS refuses a signature whose region is not that of the endpoint.
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

pub(super) fn check_model_name(path: &str, name: &str) -> Option<Fault> {
    let reason = match TextFault::all(name).first() {
        Some(TextFault::Blank) => "is empty",
        Some(TextFault::Padded) => "starts or ends with white space",
        Some(TextFault::Control) => "contains a control character",
        None if name.len() > MAX_MODEL_ID_LEN => "is longer than 2048 bytes",
        None => return None,
    };
    Some(Fault::new(path, "invalid_model_name", reason))
}
