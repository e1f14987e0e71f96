//! Decodes a streamed answer, event by event.
//!
//! <https://docs.aws.amazon.com/nova/latest/userguide/using-invoke-api.html>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::response::{Reasoning, UsageBody};
use crate::bedrock::shared::answer_tool::AnswerArguments;
use crate::bedrock::shared::arguments::arguments;
use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::shared::invocation_metrics::InvocationMetrics;
use crate::bedrock::{DecodeError, Event, StreamDecoder, ToolNames};
use crate::chat::{AnswerSink, CallIndex, Usage};
use crate::json::Text;

/// State of one streamed answer.
pub(super) struct Decoder {
    names: ToolNames,
    /// The model's own counts.
    usage: Option<Usage>,
    metrics: Option<InvocationMetrics>,
    end: EndReason,
    /// Whether the model has said that it ended, even without a reason.
    stopped: bool,
    /// The call that is being streamed.
    open: Option<Call>,
    /// Texts that are dropped if the answer tool is called, and wait until that is known.
    held: String,
    answered: bool,
    complete: bool,
}

/// A call that has not ended.
enum Call {
    Tool(CallIndex),
    /// The tool whose arguments are the answer.
    Answer(AnswerArguments),
}

/// An event: one of these under its name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(default, borrow)]
    content_block_start: Option<BlockStart<'a>>,
    #[serde(default, borrow)]
    content_block_delta: Option<BlockDelta<'a>>,
    #[serde(default)]
    content_block_stop: Option<BlockStop>,
    #[serde(default, borrow)]
    message_stop: Option<MessageStop<'a>>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default, rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<InvocationMetrics>,
    #[serde(default, rename = "amazon-bedrock-guardrailAction", borrow)]
    guardrail_action: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct BlockStart<'a> {
    #[serde(default, borrow)]
    start: Option<Start<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    #[serde(default, borrow)]
    tool_use: Option<ToolStart<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolStart<'a> {
    #[serde(default, borrow)]
    tool_use_id: Option<Text<'a>>,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    /// Normally in pieces instead.
    #[serde(default, borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BlockDelta<'a> {
    #[serde(default, borrow)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    tool_use: Option<ToolDelta<'a>>,
    #[serde(default, borrow)]
    reasoning_content: Option<Reasoning<'a>>,
}

#[derive(Deserialize)]
struct ToolDelta<'a> {
    #[serde(default, borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BlockStop {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop<'a> {
    #[serde(default, borrow)]
    stop_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    usage: Option<UsageBody>,
}

impl Decoder {
    pub(super) fn new(names: ToolNames) -> Self {
        Self {
            names,
            usage: None,
            metrics: None,
            end: EndReason::default(),
            stopped: false,
            open: None,
            held: String::new(),
            answered: false,
            complete: false,
        }
    }

    fn tool_start(&mut self, tool: &ToolStart<'_>, out: &mut dyn AnswerSink) {
        let name = tool.name.as_deref().unwrap_or_default();
        let input = tool.input.map(arguments).unwrap_or_default();
        self.open = Some(if self.names.is_answer(name) {
            self.answered = true;
            let mut arguments = self.names.answer_arguments();
            arguments.unless_said(&input);
            Call::Answer(arguments)
        } else {
            let id = tool.tool_use_id.as_deref().unwrap_or_default();
            let index = out.tool_call(id, self.names.restore(name));
            out.tool_input(index, &input);
            Call::Tool(index)
        });
    }

    fn delta(&mut self, delta: &Delta<'_>, out: &mut dyn AnswerSink) {
        if let Some(text) = delta.text.as_deref().filter(|text| !text.is_empty()) {
            if self.names.expects_answer() {
                self.held.push_str(text);
            } else {
                out.text(text);
            }
        }
        if let Some(text) = delta.reasoning_content.as_ref().and_then(Reasoning::shown) {
            out.reasoning(text);
        }
        let input = delta.tool_use.as_ref().and_then(|tool| tool.input);
        if let (Some(input), Some(open)) = (input, &mut self.open) {
            open.arguments(&arguments(input), out);
        }
    }

    fn block_stop(&mut self, out: &mut dyn AnswerSink) {
        match self.open.take() {
            Some(Call::Tool(call)) => out.tool_call_end(call),
            Some(Call::Answer(mut arguments)) => write(&arguments.end(), out),
            None => {}
        }
    }

    fn finish(&mut self, out: &mut dyn AnswerSink) {
        self.complete = true;
        self.block_stop(out);
        if !self.answered && !self.held.is_empty() {
            out.text(&self.held);
        }
        let called = Called::when(!self.answered && out.tool_calls() > 0);
        let usage = self.usage.or(self.metrics.map(Usage::from));
        self.end.finish(called, usage.unwrap_or_default(), out);
    }
}

fn write(text: &str, out: &mut dyn AnswerSink) {
    if !text.is_empty() {
        out.text(text);
    }
}

impl Call {
    fn arguments(&mut self, json: &str, out: &mut dyn AnswerSink) {
        match self {
            Self::Tool(call) => out.tool_arguments(*call, json),
            Self::Answer(arguments) => write(&arguments.push(json), out),
        }
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let event: Payload<'_> = serde_json::from_slice(event.payload)?;
        out.start();
        self.end.guardrail(event.guardrail_action.as_deref());
        self.metrics = event.metrics.or(self.metrics);
        let start = event.content_block_start.and_then(|block| block.start);
        if let Some(tool) = start.and_then(|start| start.tool_use) {
            self.tool_start(&tool, out);
        }
        if let Some(delta) = event.content_block_delta.and_then(|block| block.delta) {
            self.delta(&delta, out);
        }
        if event.content_block_stop.is_some() {
            self.block_stop(out);
        }
        if let Some(stop) = event.message_stop {
            self.stopped = true;
            self.end.take(stop.stop_reason.as_deref())?;
        }
        // The counts come last, after the reason.
        if let Some(metadata) = event.metadata {
            self.usage = metadata.usage.map(Usage::from);
            self.finish(out);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    /// An answer without counts is complete nevertheless; one without a reason broke off.
    fn end(&mut self, out: &mut dyn AnswerSink) {
        if !self.complete && self.stopped {
            self.finish(out);
        }
    }
}
