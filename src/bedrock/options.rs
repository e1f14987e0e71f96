//! Options of Bedrock itself, next to the model's own parameters.
//!
//! InvokeModel takes them as headers, Converse in its body:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>.

use std::collections::BTreeMap;

use http::header::InvalidHeaderValue;
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::chat::{Error, Param, Request};
use crate::config::{Guardrail, MAX_REQUEST_LABEL, MAX_REQUEST_LABELS, is_label_character};

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

/// The operator's labels, and as many of the client's as fit beside them, in the characters that Bedrock takes; others
/// become `_`.
fn metadata(request: &Request<'_>) -> BTreeMap<String, String> {
    let own = &request.labels;
    let room = MAX_REQUEST_LABELS.saturating_sub(own.len());
    let labels = request.metadata.iter();
    let labels = labels.filter(|(key, _)| !key.is_empty());
    let labels = labels.map(|(key, value)| (label(key), label(value)));
    // Only now is a key what it will be at Bedrock.
    let labels = labels.filter(|(key, _)| !own.contains_key(key)).take(room);
    let mut all: BTreeMap<_, _> = labels.collect();
    all.extend(own.clone());
    all
}

fn label(text: &str) -> String {
    text.chars()
        .map(|sign| if is_label_character(sign) { sign } else { '_' })
        .take(MAX_REQUEST_LABEL)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_replace_or_displace_the_operators_labels() {
        let mut request = Request {
            labels: BTreeMap::from([("z_team".to_owned(), "a".to_owned())]),
            ..Request::default()
        };
        // One is the same key once Bedrock gets it, and the others would come first.
        let keys = (0..20).map(|index| format!("k{index:02}"));
        let keys = keys.chain(["z~team".to_owned(), "z_team".to_owned()]);
        request.metadata = keys.map(|key| (key.into(), "client".into())).collect();
        let options = Options::of(&request, None).unwrap();
        assert_eq!(options.metadata.len(), 16);
        assert_eq!(options.metadata["z_team"], "a");
        let header = options.metadata_header().unwrap();
        assert!(header.contains(r#""z_team":"a""#), "{header}");
    }

    #[test]
    fn labels_of_any_length_fit_into_the_header() {
        let long = |index: usize| format!("{index:0>256}");
        let request = Request {
            labels: (0..16).map(|index| (long(index), long(0))).collect(),
            ..Request::default()
        };
        let options = Options::of(&request, None).unwrap();
        assert!(options.metadata_header().is_some());
    }
}
