//! A whole answer: the model's own JSON, less what Bedrock adds to it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::members::rewrite;
use crate::bedrock::{DecodeError, UpstreamError};
use crate::chat::{FinishReason, Usage};
use crate::json::{NotJson, write_str};

/// A whole answer for the client.
#[derive(Debug)]
pub struct Whole {
    /// Its JSON.
    pub body: Vec<u8>,
    /// Why it ended.
    pub reason: FinishReason,
    /// What it cost.
    pub usage: Usage,
    /// The model's reason, if its meaning is unknown.
    pub unknown_reason: Option<String>,
}

/// Token counts as the model reports them; which of them are there differs from event to event.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    pub(super) cache_creation_input_tokens: Option<u64>,
    pub(super) cache_creation: Option<CacheCreation>,
    pub(super) cache_read_input_tokens: Option<u64>,
    pub(super) output_tokens_details: Option<Details>,
}

/// How long what was written to a cache is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    thinking_tokens: Option<u64>,
}

impl Counts {
    /// Merges newer counts: they are running totals, so the larger one is later.
    pub(super) fn apply(self, usage: &mut Usage) {
        let set = |own: &mut u64, told: Option<u64>| *own = told.unwrap_or(0).max(*own);
        set(&mut usage.input, self.input_tokens);
        set(&mut usage.output, self.output_tokens);
        set(&mut usage.cache_write, self.cache_creation_input_tokens);
        set(&mut usage.cache_read, self.cache_read_input_tokens);
        let kept = self.cache_creation.unwrap_or_default();
        set(&mut usage.cache_write_1h, kept.ephemeral_1h_input_tokens);
        let details = self.output_tokens_details.unwrap_or_default();
        set(&mut usage.reasoning, details.thinking_tokens);
    }
}

/// What an answer's end means; with the word itself if it is unknown.
pub(super) fn meaning(word: &str) -> (FinishReason, Option<&str>) {
    match word {
        "end_turn" | "pause_turn" => (FinishReason::Stop, None),
        "stop_sequence" => (FinishReason::StopText, None),
        "max_tokens" | "model_context_window_exceeded" | "compaction" => {
            (FinishReason::Length, None)
        }
        "tool_use" => (FinishReason::ToolCalls, None),
        "refusal" => (FinishReason::ContentFilter, None),
        unknown => (FinishReason::Stop, Some(unknown)),
    }
}

/// Turns the model's answer into the client's; `model` is the client's name for the model.
///
/// # Errors
///
/// When the body is not a message, or is an error.
pub fn whole(body: &[u8], model: &str) -> Result<Whole, DecodeError> {
    let body = simdutf8::basic::from_utf8(body).map_err(|_| malformed())?;
    let mut answer = Whole {
        body: Vec::with_capacity(body.len()),
        reason: FinishReason::Stop,
        usage: Usage::default(),
        unknown_reason: None,
    };
    let mut seen = Seen::default();
    rewrite(body, &mut answer.body, |name, value, out| {
        seen.take(name, value);
        match (name, value.get()) {
            ("model", _) => write_str(out, model),
            ("stop_reason", "null") if seen.intervened => out.extend_from_slice(REFUSAL),
            _ => return Ok(false),
        }
        Ok(true)
    })
    .map_err(|NotJson| malformed())?;
    if let Some(error) = seen.error {
        return Err(DecodeError::Upstream(error));
    }
    if !seen.is_message {
        return Err(malformed());
    }
    seen.counts.apply(&mut answer.usage);
    if let Some(word) = seen.stop_reason {
        let (reason, unknown) = meaning(&word);
        answer.reason = reason;
        answer.unknown_reason = unknown.map(str::to_owned);
    } else if seen.intervened {
        answer.reason = FinishReason::ContentFilter;
    }
    Ok(answer)
}

/// The reason for the end of an answer that a guardrail replaced, if the model gives none.
pub(super) const REFUSAL: &[u8] = b"\"refusal\"";

/// What is read of an answer.
#[derive(Default)]
struct Seen {
    is_message: bool,
    intervened: bool,
    stop_reason: Option<String>,
    counts: Counts,
    error: Option<UpstreamError>,
}

impl Seen {
    fn take(&mut self, name: &str, value: &RawValue) {
        let json = value.get();
        match name {
            "type" => self.is_message = json == "\"message\"",
            "stop_reason" => self.stop_reason = serde_json::from_str(json).ok(),
            "usage" => self.counts = serde_json::from_str(json).unwrap_or_default(),
            "error" => self.error = error(value),
            "amazon-bedrock-guardrailAction" => self.intervened = json == "\"INTERVENED\"",
            _ => {}
        }
    }
}

/// The error in an answer or an event.
pub(super) fn error(value: &RawValue) -> Option<UpstreamError> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, rename = "type")]
        kind: String,
        #[serde(default)]
        message: String,
    }
    let body: Body = serde_json::from_str(value.get()).ok()?;
    Some(UpstreamError::in_band(&body.kind, &body.message))
}

/// The error for a body that is not an answer; its text is never shown.
pub(super) fn malformed() -> DecodeError {
    DecodeError::Malformed(serde::de::Error::custom("no message"))
}
