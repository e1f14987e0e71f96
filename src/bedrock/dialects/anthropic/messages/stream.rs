//! Decodes a streamed answer, event by event.
//!
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::response::UsageBody;
use crate::bedrock::shared::answer_tool::AnswerArguments;
use crate::bedrock::shared::arguments::arguments;
use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::shared::invocation_metrics::InvocationMetrics;
use crate::bedrock::{DecodeError, Event, StreamDecoder, ToolNames, UpstreamError};
use crate::chat::{AnswerSink, CallIndex, Thought, Usage};
use crate::json::Text;

/// State of one streamed answer.
pub(super) struct Decoder {
    names: ToolNames,
    usage: Usage,
    end: EndReason,
    /// The block that is being streamed, if it needs an end.
    open: Option<Open>,
    answered: bool,
    complete: bool,
}

/// A block that has not ended.
enum Open {
    ToolCall(CallIndex),
    /// The tool whose arguments are the answer.
    Answer(AnswerArguments),
    Thinking {
        text: String,
        signature: String,
    },
}

/// An event, flat over all types; unknown types are skipped.
#[derive(Deserialize)]
struct Payload<'a> {
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
    metrics: Option<InvocationMetrics>,
    #[serde(default, rename = "amazon-bedrock-guardrailAction")]
    guardrail_action: Option<Box<str>>,
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
    /// Usually empty here, and in pieces later.
    #[serde(default, borrow)]
    input: Option<&'a RawValue>,
    #[serde(default, borrow)]
    thinking: Option<Text<'a>>,
    #[serde(default, borrow)]
    data: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    /// A string, according to the documentation.
    #[serde(default, borrow)]
    partial_json: Option<&'a RawValue>,
    #[serde(default, borrow)]
    thinking: Option<Text<'a>>,
    #[serde(default, borrow)]
    signature: Option<Text<'a>>,
    // Small, because every event has the place for them.
    #[serde(default)]
    stop_reason: Option<Box<str>>,
    #[serde(default)]
    stop_sequence: Option<Box<str>>,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

fn write(text: &str, out: &mut dyn AnswerSink) {
    if !text.is_empty() {
        out.text(text);
    }
}

impl Decoder {
    pub(super) fn new(names: ToolNames) -> Self {
        Self {
            names,
            usage: Usage::default(),
            end: EndReason::default(),
            open: None,
            answered: false,
            complete: false,
        }
    }

    fn block_start(&mut self, block: &ContentBlock<'_>, out: &mut dyn AnswerSink) {
        let text = |text: &Option<Text<'_>>| text.as_deref().unwrap_or_default().to_owned();
        self.open = match &*block.kind {
            "text" => {
                if let Some(text) = block.text.as_deref().filter(|text| !text.is_empty()) {
                    out.text(text);
                }
                None
            }
            "tool_use" => Some(self.tool_start(block, out)),
            "thinking" => {
                if let Some(text) = block.thinking.as_deref().filter(|text| !text.is_empty()) {
                    out.reasoning(text);
                }
                Some(Open::Thinking {
                    text: text(&block.thinking),
                    signature: String::new(),
                })
            }
            "redacted_thinking" => {
                out.thought(&Thought::RedactedThinking {
                    data: text(&block.data),
                });
                None
            }
            _ => None,
        };
    }

    fn tool_start(&mut self, block: &ContentBlock<'_>, out: &mut dyn AnswerSink) -> Open {
        let name = block.name.as_deref().unwrap_or_default();
        let input = block.input.map(arguments).unwrap_or_default();
        if self.names.is_answer(name) {
            self.answered = true;
            let mut arguments = self.names.answer_arguments();
            arguments.unless_said(&input);
            return Open::Answer(arguments);
        }
        let id = block.id.as_deref().unwrap_or_default();
        let index = out.tool_call(id, self.names.restore(name));
        out.tool_input(index, &input);
        Open::ToolCall(index)
    }

    fn block_delta(&mut self, delta: &Delta<'_>, out: &mut dyn AnswerSink) {
        fn set<'t>(text: &'t Option<Text<'_>>) -> Option<&'t str> {
            text.as_deref().filter(|text| !text.is_empty())
        }
        if let Some(text) = set(&delta.text) {
            out.text(text);
        }
        match &mut self.open {
            Some(Open::ToolCall(call)) => {
                if let Some(json) = delta.partial_json {
                    out.tool_arguments(*call, &arguments(json));
                }
            }
            Some(Open::Answer(own)) => {
                if let Some(json) = delta.partial_json {
                    write(&own.push(&arguments(json)), out);
                }
            }
            Some(Open::Thinking { text, signature }) => {
                if let Some(thought) = set(&delta.thinking) {
                    text.push_str(thought);
                    out.reasoning(thought);
                }
                signature.push_str(set(&delta.signature).unwrap_or_default());
            }
            None => {}
        }
    }

    fn block_stop(&mut self, out: &mut dyn AnswerSink) {
        match self.open.take() {
            Some(Open::ToolCall(call)) => out.tool_call_end(call),
            Some(Open::Answer(mut arguments)) => write(&arguments.end(), out),
            Some(Open::Thinking { text, signature }) => out.thought(&Thought::Thinking {
                thinking: text,
                signature,
            }),
            None => {}
        }
    }

    fn message_stop(&mut self, metrics: Option<InvocationMetrics>, out: &mut dyn AnswerSink) {
        self.complete = true;
        // The model's usage has the cache counts right; Bedrock's metrics only fill in for it.
        if let Some(metrics) = metrics
            && self.usage == Usage::default()
        {
            self.usage = metrics.into();
        }
        let called = Called::when(!self.answered && out.tool_calls() > 0);
        self.end.finish(called, self.usage, out);
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let event: Payload<'_> = serde_json::from_slice(event.payload)?;
        if let Some(error) = event.error {
            return Err(DecodeError::Upstream(UpstreamError::in_band(
                &error.kind,
                &error.message,
            )));
        }
        self.end.guardrail(event.guardrail_action.as_deref());
        if let Some(usage) = event.usage {
            usage.apply(&mut self.usage);
        }
        out.start();
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
                let delta = event.delta.as_ref();
                let stop = delta.and_then(|own| own.stop_sequence.as_deref());
                if let Some(text) = stop {
                    out.stop_sequence(text);
                }
                let reason = delta.and_then(|delta| delta.stop_reason.as_deref());
                self.end.take(reason)?;
            }
            "message_stop" => self.message_stop(event.metrics, out),
            _ => {}
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn counted(&self) -> Usage {
        self.usage
    }
}
