//! Options of Bedrock itself, next to the model's own parameters.
//!
//! InvokeModel takes them as headers, Converse in its body:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>.

use serde::Serialize;
use std::collections::BTreeMap;

use crate::config::Guardrail;
use crate::openai::{ChatRequest, Error};

/// Bedrock's own options of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The guardrail to apply.
    pub guardrail: Option<Guardrail>,
    /// `priority`, `default`, `flex` or `reserved`.
    pub service_tier: Option<&'static str>,
    /// `standard` or `optimized`.
    pub latency: Option<&'static str>,
    /// Labels for Bedrock's invocation log.
    pub metadata: BTreeMap<String, String>,
}

/// Longest value of `X-Amzn-Bedrock-Request-Metadata`, in characters.
const MAX_METADATA_HEADER: usize = 8_500;

/// Longest key and value of a label, in characters.
const MAX_LABEL: usize = 256;

impl Options {
    /// The options of a request, with the channel's guardrail where the request names none.
    ///
    /// # Errors
    ///
    /// A 400 for values that Bedrock does not have.
    pub fn of(request: &ChatRequest<'_>, channel: Option<&Guardrail>) -> Result<Self, Error> {
        Ok(Self {
            guardrail: guardrail(request)?.or_else(|| channel.cloned()),
            service_tier: service_tier(request)?,
            latency: latency(request)?,
            metadata: metadata(request),
        })
    }

    /// The headers that carry them on InvokeModel.
    #[must_use]
    pub fn invoke_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        let mut add = |name, value: Option<String>| {
            headers.extend(value.map(|value| (name, value)));
        };
        let guardrail = self.guardrail.as_ref();
        add(
            "x-amzn-bedrock-guardrailidentifier",
            guardrail.map(|guardrail| guardrail.identifier.clone()),
        );
        add(
            "x-amzn-bedrock-guardrailversion",
            guardrail.map(|guardrail| guardrail.version.clone()),
        );
        add(
            "x-amzn-bedrock-trace",
            guardrail
                .and_then(|guardrail| guardrail.trace)
                .map(|trace| trace.as_str().to_ascii_uppercase()),
        );
        add(
            "x-amzn-bedrock-service-tier",
            self.service_tier.map(str::to_owned),
        );
        add(
            "x-amzn-bedrock-performanceconfig-latency",
            self.latency.map(str::to_owned),
        );
        add("x-amzn-bedrock-request-metadata", self.metadata_header());
        headers
    }

    fn metadata_header(&self) -> Option<String> {
        #[derive(Serialize)]
        #[serde(transparent)]
        struct Labels<'a>(&'a BTreeMap<String, String>);
        (!self.metadata.is_empty())
            .then(|| serde_json::to_string(&Labels(&self.metadata)).ok())
            .flatten()
            .filter(|header| header.len() <= MAX_METADATA_HEADER)
    }
}

fn guardrail(request: &ChatRequest<'_>) -> Result<Option<Guardrail>, Error> {
    let Some(config) = &request.guardrail else {
        return Ok(None);
    };
    let guardrail = Guardrail {
        identifier: config.guardrail_identifier.to_string(),
        version: config.guardrail_version.to_string(),
        trace: match config.trace.as_deref() {
            None => None,
            Some(trace) => Some(trace.parse().map_err(|()| {
                let message = "'trace' must be enabled, disabled or enabled_full.";
                Error::invalid("guardrailConfig.trace", message)
            })?),
        },
    };
    match guardrail.check() {
        Ok(()) => Ok(Some(guardrail)),
        Err((field, reason)) => {
            let param = format!("guardrailConfig.{field}");
            let message = format!("'{param}' {reason}.");
            Err(Error::invalid(param, message))
        }
    }
}

/// OpenAI's tiers in Bedrock's words; those that Bedrock lacks mean its default.
fn service_tier(request: &ChatRequest<'_>) -> Result<Option<&'static str>, Error> {
    match request.service_tier.as_deref() {
        None | Some("auto" | "scale" | "fast") => Ok(None),
        Some("default") => Ok(Some("default")),
        Some("flex") => Ok(Some("flex")),
        Some("priority") => Ok(Some("priority")),
        Some("reserved") => Ok(Some("reserved")),
        Some(_) => {
            let message = "'service_tier' must be auto, default, flex, priority or reserved.";
            Err(Error::invalid("service_tier", message))
        }
    }
}

fn latency(request: &ChatRequest<'_>) -> Result<Option<&'static str>, Error> {
    let latency = request.performance.as_ref().map(|config| &*config.latency);
    match latency {
        None => Ok(None),
        Some("standard") => Ok(Some("standard")),
        Some("optimized") => Ok(Some("optimized")),
        Some(_) => {
            let message = "'latency' must be standard or optimized.";
            Err(Error::invalid("performanceConfig.latency", message))
        }
    }
}

/// The labels in the characters that Bedrock takes; others become `_`.
fn metadata(request: &ChatRequest<'_>) -> BTreeMap<String, String> {
    let labels = request.metadata.iter().flatten();
    labels
        .filter(|(key, _)| !key.is_empty())
        .take(16)
        .map(|(key, value)| (label(key), label(value)))
        .collect()
}

fn label(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == ' ' || ":_@$#=/+,-.".contains(c);
    text.chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .take(MAX_LABEL)
        .collect()
}
