//! A streamed answer: the model's own events, less what Bedrock adds to them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Counts, REFUSAL, error, malformed, meaning};
use super::members::{each, is_bedrocks, may_have_bedrocks, push_name, rewrite};
use crate::bedrock::{DecodeError, Event, Events, InvocationMetrics};
use crate::chat::{Error, FinishReason, Usage};
use crate::json::{NotJson, write_str};
use crate::protocol::anthropic_messages::error_body;
use crate::wire::sse;

/// Turns the events of one stream into server-sent events.
#[derive(Debug)]
pub struct Stream {
    /// What the client calls the model.
    model: String,
    out: Vec<u8>,
    usage: Usage,
    /// The end of the message, until all counts are known: some come only with the last event.
    held: Option<Ending>,
    reason: FinishReason,
    unknown_reason: Option<String>,
    intervened: bool,
    has_content: bool,
    is_talking: bool,
    is_complete: bool,
}

/// A `message_delta` that waits.
#[derive(Debug)]
struct Ending {
    /// Its members except `usage`, as they were written.
    members: Vec<(String, String)>,
    /// The members of its `usage`, likewise.
    usage: Vec<(String, String)>,
}

/// What is read of every event.
#[derive(Deserialize)]
struct Glance<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

impl Stream {
    /// A stream from which nothing has come yet.
    #[must_use]
    pub fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            out: Vec::new(),
            usage: Usage::default(),
            held: None,
            reason: FinishReason::Stop,
            unknown_reason: None,
            intervened: false,
            has_content: false,
            is_talking: false,
            is_complete: false,
        }
    }

    /// `message_start`: the model gets the client's name for it.
    fn start(&mut self, json: &str) -> Result<(), NotJson> {
        let mut data = Vec::with_capacity(json.len());
        let mut usage = None;
        let model = &self.model;
        rewrite(json, &mut data, |name, value, out| {
            if name != "message" {
                return Ok(false);
            }
            rewrite(value.get(), out, |name, value, out| {
                match name {
                    "model" => write_str(out, model),
                    "usage" => {
                        usage = serde_json::from_str::<Counts>(value.get()).ok();
                        return Ok(false);
                    }
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            Ok(true)
        })?;
        usage.unwrap_or_default().apply(&mut self.usage);
        sse::raw_event(&mut self.out, "message_start", &data);
        // As Anthropic's own servers do.
        sse::raw_event(&mut self.out, "ping", b"{\"type\":\"ping\"}");
        Ok(())
    }

    /// `message_delta`: is held until all counts are known.
    fn delta(&mut self, json: &str) -> Result<(), NotJson> {
        self.flush();
        let mut ending = Ending {
            members: Vec::new(),
            usage: Vec::new(),
        };
        let mut counts = Counts::default();
        let mut reason = None;
        each(json, |name, value| {
            match name {
                "usage" => {
                    counts = serde_json::from_str(value.get()).unwrap_or_default();
                    each(value.get(), |name, value| {
                        ending.usage.push(owned(name, value));
                        Ok(())
                    })?;
                }
                "delta" => {
                    #[derive(Deserialize)]
                    struct Delta {
                        #[serde(default)]
                        stop_reason: Option<String>,
                    }
                    let delta: Option<Delta> = serde_json::from_str(value.get()).ok();
                    reason = delta.and_then(|own| own.stop_reason);
                    ending.members.push(owned(name, value));
                }
                name if is_bedrocks(name) => {}
                name => ending.members.push(owned(name, value)),
            }
            Ok(())
        })?;
        counts.apply(&mut self.usage);
        if let Some(word) = reason {
            let (reason, unknown) = meaning(&word);
            self.reason = reason;
            self.unknown_reason = unknown.map(str::to_owned);
        }
        self.held = Some(ending);
        Ok(())
    }

    /// `message_stop`: the last counts, and the end.
    fn stop(&mut self, json: &str) -> Result<(), NotJson> {
        let mut metrics = InvocationMetrics::default();
        let mut counts = Counts::default();
        let mut data = Vec::new();
        rewrite(json, &mut data, |name, value, _| {
            match name {
                "amazon-bedrock-invocationMetrics" => {
                    metrics = serde_json::from_str(value.get()).unwrap_or_default();
                }
                "usage" => counts = serde_json::from_str(value.get()).unwrap_or_default(),
                _ => {}
            }
            Ok(false)
        })?;
        counts.apply(&mut self.usage);
        let (usage, counted) = (&mut self.usage, Usage::from(metrics));
        usage.cache_read = usage.cache_read.max(counted.cache_read);
        usage.cache_write = usage.cache_write.max(counted.cache_write);
        usage.output = usage.output.max(counted.output);
        if usage.input == 0 {
            usage.input = counted.input;
        }
        self.flush();
        sse::raw_event(&mut self.out, "message_stop", &data);
        self.is_complete = true;
        Ok(())
    }

    /// Writes the end of the message that was held, with the counts of caches that it lacks.
    fn flush(&mut self) {
        let Some(mut ending) = self.held.take() else {
            return;
        };
        let mut complete = |name: &str, count: u64| {
            let is_told = |own: &&mut (String, String)| own.0 == format!("\"{name}\"");
            match ending.usage.iter_mut().find(|own| is_told(own)) {
                Some(own) if matches!(own.1.as_str(), "null" | "0") => own.1 = count.to_string(),
                None if count > 0 => ending
                    .usage
                    .push((format!("\"{name}\""), count.to_string())),
                _ => {}
            }
        };
        complete("cache_read_input_tokens", self.usage.cache_read);
        complete("cache_creation_input_tokens", self.usage.cache_write);
        complete("output_tokens", self.usage.output);
        let mut data = b"{".to_vec();
        for (name, value) in &ending.members {
            push_name(&mut data, name);
            if self.intervened && name == "\"delta\"" {
                refuse(value, &mut data);
            } else {
                data.extend_from_slice(value.as_bytes());
            }
        }
        push_name(&mut data, "\"usage\"");
        data.push(b'{');
        for (name, value) in &ending.usage {
            push_name(&mut data, name);
            data.extend_from_slice(value.as_bytes());
        }
        data.extend_from_slice(b"}}");
        sse::raw_event(&mut self.out, "message_delta", &data);
    }

    /// Any other event: unchanged, except for what Bedrock adds.
    fn pass(&mut self, kind: &str, json: &str) -> Result<(), NotJson> {
        let is_one_line = !json.bytes().any(|byte| matches!(byte, b'\n' | b'\r'));
        if is_one_line && !may_have_bedrocks(json) {
            sse::raw_event(&mut self.out, kind, json.as_bytes());
            return Ok(());
        }
        let mut data = Vec::with_capacity(json.len());
        rewrite(json, &mut data, |_, _, _| Ok(false))?;
        // Line breaks occur only between values, where they mean nothing.
        for byte in &mut data {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        sse::raw_event(&mut self.out, kind, &data);
        Ok(())
    }

    fn take_event(&mut self, kind: &str, json: &str) -> Result<(), DecodeError> {
        // The arguments of a tool are sent in few large pieces, and a model thinks between blocks.
        self.is_talking = kind == "content_block_delta" && !is_arguments(json);
        let taken = match kind {
            "message_start" => self.start(json),
            "message_delta" => {
                self.has_content = true;
                self.delta(json)
            }
            "message_stop" => {
                self.has_content = true;
                self.stop(json)
            }
            "ping" => Ok(()),
            // It may be all that comes before an error.
            "content_block_start" => self.pass(kind, json),
            kind => {
                self.has_content = true;
                self.pass(kind, json)
            }
        };
        taken.map_err(|_| malformed())
    }
}

/// Whether a delta is a piece of a tool's arguments. Quotes in texts are escaped, so that none is taken for one.
fn is_arguments(json: &str) -> bool {
    memchr::memmem::find(json.as_bytes(), b"\"input_json_delta\"").is_some()
}

impl Events for Stream {
    fn event(&mut self, event: Event<'_>) -> Result<(), DecodeError> {
        let json = simdutf8::basic::from_utf8(event.payload).map_err(|_| malformed())?;
        let kind = serde_json::from_str::<Glance<'_>>(json)?.kind;
        if kind == "error" {
            let mut found = None;
            let read = each(json, |name, value| {
                if name == "error" {
                    found = error(value);
                }
                Ok(())
            });
            read.map_err(|_| malformed())?;
            return Err(found.map_or_else(malformed, DecodeError::Upstream));
        }
        self.intervened |= memchr::memmem::find(event.payload, INTERVENED).is_some();
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if kind.is_empty() || !kind.bytes().all(is_name) {
            return Err(malformed());
        }
        self.take_event(&kind, json)
    }

    /// Nothing follows a `message_stop`, and nothing is complete without one.
    fn end(&mut self) {}

    fn is_complete(&self) -> bool {
        self.is_complete
    }

    fn error(&mut self, error: &Error) {
        self.held = None;
        sse::raw_event(&mut self.out, "error", &error_body(error, None));
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn has_content(&self) -> bool {
        self.has_content
    }

    fn may_pause(&self) -> bool {
        !self.is_talking
    }

    fn result(&self) -> Option<(FinishReason, Usage)> {
        let reason = if self.intervened {
            FinishReason::ContentFilter
        } else {
            self.reason
        };
        self.is_complete.then_some((reason, self.usage))
    }

    fn unknown_reason(&self) -> Option<&str> {
        self.unknown_reason.as_deref()
    }

    fn counted(&self) -> Usage {
        self.usage
    }
}

/// What Bedrock writes into an event where a guardrail put its own words in place of the model's.
const INTERVENED: &[u8] = b"\"amazon-bedrock-guardrailAction\":\"INTERVENED\"";

/// Writes a `delta` whose `stop_reason` is missing as a refusal.
fn refuse(delta: &str, out: &mut Vec<u8>) {
    let start = out.len();
    let mut is_told = false;
    let written = rewrite(delta, out, |name, value, out| {
        let is_reason = name == "stop_reason";
        is_told |= is_reason;
        if is_reason && value.get() == "null" {
            out.extend_from_slice(REFUSAL);
            return Ok(true);
        }
        Ok(false)
    });
    if written.is_err() || !is_told {
        out.truncate(start);
        out.extend_from_slice(delta.as_bytes());
    }
}

/// A member, its name as JSON. A string always serialises.
fn owned(name: &str, value: &RawValue) -> (String, String) {
    let name = serde_json::to_string(name).unwrap_or_default();
    (name, value.get().to_owned())
}
