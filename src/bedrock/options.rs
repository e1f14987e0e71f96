//! Options of Bedrock itself, next to the model's own parameters.
//!
//! InvokeModel takes them as headers, Converse in its body:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>.

use std::collections::BTreeMap;

use http::header::InvalidHeaderValue;
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::chat::{Error, Param, Request};
use crate::config::Guardrail;

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

const GUARDRAIL: HeaderName = HeaderName::from_static("x-amzn-bedrock-guardrailidentifier");
const GUARDRAIL_VERSION: HeaderName = HeaderName::from_static("x-amzn-bedrock-guardrailversion");
const TRACE: HeaderName = HeaderName::from_static("x-amzn-bedrock-trace");
const SERVICE_TIER: HeaderName = HeaderName::from_static("x-amzn-bedrock-service-tier");
const LATENCY: HeaderName = HeaderName::from_static("x-amzn-bedrock-performanceconfig-latency");
const METADATA: HeaderName = HeaderName::from_static("x-amzn-bedrock-request-metadata");

/// Longest value of `X-Amzn-Bedrock-Request-Metadata`, in characters.
const MAX_METADATA_HEADER: usize = 8_500;

/// Longest key and value of a label, in characters.
const MAX_LABEL: usize = 256;

impl Options {
    /// The options of a request, with the channel's guardrail if the request names none.
    ///
    /// # Errors
    ///
    /// A 400 for values that Bedrock does not have.
    pub fn of(request: &Request<'_>, channel: Option<&Guardrail>) -> Result<Self, Error> {
        Ok(Self {
            guardrail: guardrail(request)?.or_else(|| channel.cloned()),
            service_tier: service_tier(request)?,
            latency: latency(request)?,
            metadata: metadata(request),
        })
    }

    /// The headers that carry them on InvokeModel.
    ///
    /// # Errors
    ///
    /// When a header cannot carry one of them: no call is better than one without its guardrail.
    pub fn invoke_headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let guardrail = self.guardrail.as_ref();
        let trace = guardrail.and_then(|guardrail| guardrail.trace);
        let trace = trace.map(|trace| trace.as_str().to_ascii_uppercase());
        let metadata = self.metadata_header();
        let all = [
            (GUARDRAIL, guardrail.map(|own| &*own.identifier)),
            (GUARDRAIL_VERSION, guardrail.map(|own| &*own.version)),
            (TRACE, trace.as_deref()),
            (SERVICE_TIER, self.service_tier),
            (LATENCY, self.latency),
            (METADATA, metadata.as_deref()),
        ];
        let given = all
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        given
            .map(|(name, value)| Ok((name, HeaderValue::from_str(value)?)))
            .collect::<Result<_, InvalidHeaderValue>>()
            .map_err(|error| Error::encoding(&error))
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

fn guardrail(request: &Request<'_>) -> Result<Option<Guardrail>, Error> {
    let Some(config) = &request.guardrail else {
        return Ok(None);
    };
    let guardrail = Guardrail {
        identifier: config.identifier.to_string(),
        version: config.version.to_string(),
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

/// The tier in Bedrock's terms; those that Bedrock does not have mean its default.
fn service_tier(request: &Request<'_>) -> Result<Option<&'static str>, Error> {
    match request.service_tier.as_deref() {
        None | Some("auto" | "scale" | "fast") => Ok(None),
        Some("default") => Ok(Some("default")),
        Some("flex") => Ok(Some("flex")),
        Some("priority") => Ok(Some("priority")),
        Some("reserved") => Ok(Some("reserved")),
        Some(_) => {
            let message = "'service_tier' must be auto, default, flex, priority or reserved.";
            Err(Error::invalid(Param::ServiceTier, message))
        }
    }
}

fn latency(request: &Request<'_>) -> Result<Option<&'static str>, Error> {
    match request.latency.as_deref() {
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
fn metadata(request: &Request<'_>) -> BTreeMap<String, String> {
    let labels = request.metadata.iter();
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
