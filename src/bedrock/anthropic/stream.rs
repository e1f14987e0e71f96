//! Decodes a streamed answer, event by event.
//!
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use serde::Deserialize;

use super::response::{UsageBody, finish_reason};
use crate::bedrock::{DecodeError, StreamDecoder, ToolNames, UpstreamError};
use crate::openai::{ChunkWriter, Text, Usage};

/// State of one streamed answer.
pub(super) struct Decoder {
    names: ToolNames,
    usage: Usage,
    /// Why the answer ended, once it is known.
    stop_reason: Option<String>,
    guardrail_action: Option<String>,
    /// Tool calls begun so far; the last one's index is one less.
    tool_calls: u32,
    /// The tool call that is being streamed, if the current block is one.
    open_call: Option<OpenCall>,
    started: bool,
    complete: bool,
}

/// A tool call whose block has not ended.
struct OpenCall {
    index: u32,
    has_arguments: bool,
}

/// An event, flat over all types; unknown types are skipped.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(default)]
    message: Option<MessageStart>,
    #[serde(default, borrow)]
    content_block: Option<ContentBlock<'a>>,
    #[serde(default, borrow)]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    usage: Option<UsageBody>,
    #[serde(default)]
    error: Option<ErrorBody>,
    #[serde(default, rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<Metrics>,
    #[serde(default, rename = "amazon-bedrock-guardrailAction")]
    guardrail_action: Option<String>,
}

#[derive(Deserialize)]
struct MessageStart {
    #[serde(default)]
    usage: UsageBody,
}

#[derive(Deserialize)]
struct ContentBlock<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    id: Option<Text<'a>>,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    partial_json: Option<Text<'a>>,
    #[serde(default)]
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

/// What Bedrock itself counted; it knows less than the model's own usage.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct Metrics {
    input_token_count: u64,
    output_token_count: u64,
    cache_read_input_token_count: u64,
    cache_write_input_token_count: u64,
}

impl Decoder {
    pub(super) fn new(names: ToolNames) -> Self {
        Self {
            names,
            usage: Usage::default(),
            stop_reason: None,
            guardrail_action: None,
            tool_calls: 0,
            open_call: None,
            started: false,
            complete: false,
        }
    }

    /// The role goes out before anything else, once.
    fn start(&mut self, out: &mut ChunkWriter) {
        if !self.started {
            self.started = true;
            out.role();
        }
    }

    fn block_start(&mut self, block: &ContentBlock<'_>, out: &mut ChunkWriter) {
        self.open_call = None;
        match &*block.kind {
            "text" => {
                if let Some(text) = block.text.as_deref().filter(|text| !text.is_empty()) {
                    out.content(text);
                }
            }
            "tool_use" => {
                let index = self.tool_calls;
                self.tool_calls += 1;
                let name = block.name.as_deref().unwrap_or_default();
                let id = block.id.as_deref().unwrap_or_default();
                out.tool_call(index, id, self.names.restore(name));
                self.open_call = Some(OpenCall {
                    index,
                    has_arguments: false,
                });
            }
            _ => {}
        }
    }

    fn block_delta(&mut self, delta: &Delta<'_>, out: &mut ChunkWriter) {
        let not_empty = |text: &Option<Text<'_>>| text.as_ref().is_some_and(|t| !t.is_empty());
        if let Some(text) = delta.text.as_deref().filter(|_| not_empty(&delta.text)) {
            out.content(text);
        }
        if let (Some(json), Some(call)) = (
            delta
                .partial_json
                .as_deref()
                .filter(|_| not_empty(&delta.partial_json)),
            &mut self.open_call,
        ) {
            call.has_arguments = true;
            out.tool_arguments(call.index, json);
        }
    }

    /// A tool without arguments streams none, but its arguments must still be an object.
    fn block_stop(&mut self, out: &mut ChunkWriter) {
        if let Some(call) = self.open_call.take()
            && !call.has_arguments
        {
            out.tool_arguments(call.index, "{}");
        }
    }

    fn message_stop(&mut self, metrics: Option<Metrics>, out: &mut ChunkWriter) {
        self.complete = true;
        // The model's usage has the cache counts right; Bedrock's metrics only fill in for it.
        if let Some(metrics) = metrics
            && self.usage == Usage::default()
        {
            self.usage = Usage {
                input: metrics.input_token_count,
                cache_read: metrics.cache_read_input_token_count,
                cache_write: metrics.cache_write_input_token_count,
                output: metrics.output_token_count,
                reasoning: 0,
            };
        }
        let reason = finish_reason(
            self.stop_reason.as_deref(),
            self.guardrail_action.as_deref(),
            self.tool_calls > 0,
        );
        out.finish(reason, self.usage);
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: &[u8], out: &mut ChunkWriter) -> Result<(), DecodeError> {
        let event: Event<'_> = serde_json::from_slice(event)?;
        if let Some(error) = event.error {
            return Err(DecodeError::Upstream(in_band(&error)));
        }
        self.guardrail_action = event.guardrail_action.or(self.guardrail_action.take());
        if let Some(usage) = event.usage {
            usage.apply(&mut self.usage);
        }
        self.start(out);
        match &*event.kind {
            "message_start" => {
                let usage = event.message.map(|message| message.usage);
                usage.unwrap_or_default().apply(&mut self.usage);
            }
            "content_block_start" => {
                if let Some(block) = &event.content_block {
                    self.block_start(block, out);
                }
            }
            "content_block_delta" => {
                if let Some(delta) = &event.delta {
                    self.block_delta(delta, out);
                }
            }
            "content_block_stop" => self.block_stop(out),
            "message_delta" => {
                let reason = event.delta.and_then(|delta| delta.stop_reason);
                self.stop_reason = reason.or(self.stop_reason.take());
            }
            "message_stop" => self.message_stop(event.metrics, out),
            _ => {}
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }
}

/// An error that Claude itself streams: <https://docs.anthropic.com/en/api/errors>.
fn in_band(error: &ErrorBody) -> UpstreamError {
    let exception = match error.kind.as_str() {
        "overloaded_error" => "serviceUnavailableException",
        "rate_limit_error" => "throttlingException",
        "invalid_request_error" => "validationException",
        "timeout_error" => "modelTimeoutException",
        _ => "modelStreamErrorException",
    };
    UpstreamError::in_stream(exception, &error.message)
}
