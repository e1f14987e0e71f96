//! Decodes a streamed answer, event by event.
//!
//! Bedrock documents events with text and the last one; those of tool calls are Cohere's own,
//! <https://docs.cohere.com/v1/docs/streaming>, and may be missing: then the last one has the calls.

use serde::Deserialize;

use super::response::{Response, ToolCall, call_id};
use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::shared::invocation_metrics::InvocationMetrics;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder};
use crate::chat::{AnswerSink, Usage};
use crate::json::Text;

/// Event with whole tool calls; its text repeats what was streamed before.
const TOOL_CALLS: &str = "tool-calls-generation";

/// State of one streamed answer.
pub(super) struct Decoder {
    answer: Answer,
    end: EndReason,
    wrote_text: bool,
    complete: bool,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Payload<'a> {
    is_finished: bool,
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow)]
    finish_reason: Option<Text<'a>>,
    #[serde(borrow)]
    response: Option<Response<'a>>,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<InvocationMetrics>,
    #[serde(rename = "amazon-bedrock-guardrailAction", borrow)]
    guardrail_action: Option<Text<'a>>,
}

impl Decoder {
    pub(super) fn new(answer: Answer) -> Self {
        Self {
            answer,
            end: EndReason::default(),
            wrote_text: false,
            complete: false,
        }
    }

    fn text(&mut self, text: Option<&str>, out: &mut dyn AnswerSink) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.wrote_text = true;
            out.text(text);
        }
    }

    fn calls(&mut self, calls: Option<&[ToolCall<'_>]>, out: &mut dyn AnswerSink) {
        for call in calls.unwrap_or_default() {
            let id = call_id(self.answer.earlier_calls, out.tool_calls());
            let index = out.tool_call(&id, self.answer.names.restore(&call.name));
            out.tool_arguments(index, &call.arguments());
            out.tool_call_end(index);
        }
    }

    /// The last event repeats the answer, which matters only if nothing came before.
    fn finish(&mut self, event: &Payload<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let nothing = Response::default();
        let whole = event.response.as_ref().unwrap_or(&nothing);
        if !self.wrote_text {
            self.text(whole.text.as_deref().or(event.text.as_deref()), out);
        }
        if out.tool_calls() == 0 {
            let calls = event.tool_calls.as_deref();
            self.calls(calls.or(whole.tool_calls.as_deref()), out);
        }
        let reason = event.finish_reason.as_deref();
        self.end.take(reason.or(whole.finish_reason.as_deref()))?;
        let usage = whole.usage().or(event.metrics.map(Usage::from));
        self.complete = true;
        let usage = usage.unwrap_or_default();
        self.end.finish(Called::so_far(out), usage, out);
        Ok(())
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let event: Payload<'_> = serde_json::from_slice(event.payload)?;
        out.start();
        self.end.guardrail(event.guardrail_action.as_deref());
        if event.is_finished {
            return self.finish(&event, out);
        }
        let repeats = event.event_type.as_deref() == Some(TOOL_CALLS) && self.wrote_text;
        if !repeats {
            self.text(event.text.as_deref(), out);
        }
        self.calls(event.tool_calls.as_deref(), out);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }
}
