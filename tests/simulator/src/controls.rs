//! What a request asks of Bedrock itself rather than of the model: guardrail, trace,
//! service tier, latency, metadata.
//!
//! `InvokeModel` takes them as headers, Converse as body fields:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>.

use axum::http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::error::AwsError;
use crate::family::Answer;
use crate::wire::WireRequest;

const PREFIX: &str = "x-amzn-bedrock-";
const CONFIG: &str = "amazon-bedrock-guardrailConfig";
pub(crate) const TIERS: &[&str] = &["priority", "default", "flex", "reserved"];
pub(crate) const LATENCIES: &[&str] = &["standard", "optimized"];
const TRACES: &[&str] = &["ENABLED", "DISABLED", "ENABLED_FULL"];
const MAX_METADATA: usize = 8500;
const MAX_PAIRS: usize = 16;

/// The controls of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Controls {
    /// Identifier of the guardrail that applies.
    guardrail: Option<String>,
    traces: bool,
    tier: Option<String>,
    latency: Option<String>,
}

impl Controls {
    /// Reads the headers of an `InvokeModel` operation, and takes the
    /// guardrail's own field out of the body.
    ///
    /// # Errors
    /// `ValidationException` when a value, or the combination, is not valid.
    pub(crate) fn take(request: &WireRequest, body: &mut Value) -> Result<Self, AwsError> {
        let sent = |name: &str| request.header(&format!("{PREFIX}{name}"));
        let guardrail = sent("guardrailidentifier");
        match (guardrail, sent("guardrailversion")) {
            (None, None) => {}
            (Some(id), Some(version)) if is_guardrail(id) && is_version(version) => {}
            (Some(_), Some(_)) => {
                return Err(AwsError::validation(
                    "The guardrail identifier or version provided in the request is invalid.",
                ));
            }
            _ => {
                return Err(AwsError::validation(
                    "Guardrail identifier and version must be provided together.",
                ));
            }
        }
        let trace = one_of(sent("trace"), TRACES, "trace")?;
        let metadata = sent("request-metadata");
        metadata.map_or(Ok(()), check_metadata_header)?;
        take_config(body, guardrail)?;
        Ok(Self {
            guardrail: guardrail.map(str::to_owned),
            traces: trace.is_some_and(|trace| trace != "DISABLED"),
            tier: one_of(sent("service-tier"), TIERS, "serviceTier")?.map(str::to_owned),
            latency: one_of(
                sent("performanceconfig-latency"),
                LATENCIES,
                "performanceConfigLatency",
            )?
            .map(str::to_owned),
        })
    }

    /// Converse models none of the headers: sending one is a mistake.
    ///
    /// # Errors
    /// `ValidationException` that names the first.
    pub(crate) fn refuse_headers(request: &WireRequest) -> Result<(), AwsError> {
        let names = request.headers.iter().map(|(name, _)| name);
        match names.into_iter().find(|name| name.starts_with(PREFIX)) {
            Some(name) => Err(AwsError::validation(format!(
                "The header {name} is not supported by this operation."
            ))),
            None => Ok(()),
        }
    }

    /// Writes what the guardrail did into the answer of `InvokeModel`.
    pub(crate) fn mark(&self, answer: &mut Answer, intervened: Option<&str>) {
        let action = match intervened {
            Some(_) => "INTERVENED",
            None if self.guardrail.is_some() => "NONE",
            None => return,
        };
        answer.mark("amazon-bedrock-guardrailAction", &json!(action));
        if self.traces && self.guardrail.is_some() {
            answer.mark(
                "amazon-bedrock-trace",
                &json!({ "guardrail": trace(intervened) }),
            );
        }
    }

    /// Says which tier and latency served the request.
    pub(crate) fn echo(&self, headers: &mut HeaderMap) {
        for (name, value) in [
            ("x-amzn-bedrock-service-tier", &self.tier),
            ("x-amzn-bedrock-performanceconfig-latency", &self.latency),
        ] {
            if let Some(Ok(value)) = value.as_deref().map(HeaderValue::from_str) {
                headers.insert(name, value);
            }
        }
    }
}

/// What a guardrail found, in the trace of either API.
pub(crate) fn trace(intervened: Option<&str>) -> Value {
    match intervened {
        Some(text) => json!({ "modelOutput": [text], "actionReason": "Guardrail blocked." }),
        None => json!({ "actionReason": "No action." }),
    }
}

/// Pairs of invocation-log metadata: count, characters, lengths.
pub(crate) fn is_metadata(pairs: &serde_json::Map<String, Value>) -> bool {
    let fits = |text: &str, least: usize| {
        let known =
            |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || ":_@$#=/+,-.".contains(c);
        (least..=256).contains(&text.chars().count()) && text.chars().all(known)
    };
    let pair = |(key, value): (&String, &Value)| {
        fits(key, 1) && value.as_str().is_some_and(|value| fits(value, 0))
    };
    (1..=MAX_PAIRS).contains(&pairs.len()) && pairs.iter().all(pair)
}

fn check_metadata_header(text: &str) -> Result<(), AwsError> {
    let pairs: Option<Value> = serde_json::from_str(text).ok();
    let pairs = pairs.as_ref().and_then(Value::as_object);
    match pairs.is_some_and(is_metadata) && text.len() <= MAX_METADATA {
        true => Ok(()),
        false => Err(AwsError::validation(
            "The request metadata provided in the request is invalid.",
        )),
    }
}

/// The field only makes sense with a guardrail.
fn take_config(body: &mut Value, guardrail: Option<&str>) -> Result<(), AwsError> {
    let Some(config) = body.as_object_mut().and_then(|body| body.remove(CONFIG)) else {
        return Ok(());
    };
    if guardrail.is_none() {
        return Err(AwsError::validation(format!(
            "Malformed input request: #: extraneous key [{CONFIG}] is not permitted, please reformat your input and try again."
        )));
    }
    let known = |(name, value): (&String, &Value)| match (name.as_str(), value.as_str()) {
        ("tagSuffix", Some(tag)) => {
            (1..=20).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
        ("streamProcessingMode", Some(mode)) => matches!(mode, "SYNCHRONOUS" | "ASYNCHRONOUS"),
        _ => false,
    };
    match config
        .as_object()
        .is_some_and(|config| config.iter().all(known))
    {
        true => Ok(()),
        false => Err(AwsError::validation(format!(
            "Malformed input request: #/{CONFIG}: is not valid, please reformat your input and try again."
        ))),
    }
}

fn one_of<'a>(
    sent: Option<&'a str>,
    set: &[&str],
    place: &str,
) -> Result<Option<&'a str>, AwsError> {
    match sent {
        Some(value) if !set.contains(&value) => Err(AwsError::validation(format!(
            "1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            set.join(", ")
        ))),
        _ => Ok(sent),
    }
}

/// An id of lower-case letters and digits, or the ARN of a guardrail.
pub(crate) fn is_guardrail(text: &str) -> bool {
    let id = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let in_arn = text.split_once(":guardrail/");
    id(text) || in_arn.is_some_and(|(arn, part)| arn.starts_with("arn:aws") && id(part))
}

/// `DRAFT` or a number of up to eight digits.
pub(crate) fn is_version(text: &str) -> bool {
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    text == "DRAFT" || (number && (1..=8).contains(&text.len()) && !text.starts_with('0'))
}
