//! Decodes a streamed answer, event by event.

use super::{Call, Reply, finish_reason, made_up_id};
use crate::bedrock::shared::bedrock_fields::BedrockFields;
use crate::bedrock::shared::prompt::StopCutter;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder, ToolNames};
use crate::chat::{AnswerSink, CallIndex, FinishReason, Usage};

/// State of one streamed answer.
pub(in crate::bedrock) struct Decoder {
    names: ToolNames,
    cutter: StopCutter,
    calls: Vec<Open>,
    reason: Option<FinishReason>,
    intervened: bool,
    /// The model's own counts.
    usage: Option<Usage>,
    complete: bool,
}

/// A tool call of this answer.
struct Open {
    /// The model's own index, which need not be dense.
    index: Option<u32>,
    id: String,
    goal: Goal,
}

/// What becomes of a call's arguments.
enum Goal {
    /// A call of the client's tool.
    Call(CallIndex),
    /// The call is the answer.
    Answer { has_arguments: bool },
}

impl Decoder {
    pub(in crate::bedrock) fn new(answer: Answer) -> Self {
        Self {
            names: answer.names,
            cutter: StopCutter::new(answer.text.stops),
            calls: Vec::new(),
            reason: None,
            intervened: false,
            usage: None,
            complete: false,
        }
    }

    fn call(&mut self, call: &Call<'_>, out: &mut dyn AnswerSink) {
        let known = self.known(call);
        let position = known.unwrap_or_else(|| self.open(call, out));
        let arguments = call.arguments();
        if let Some(open) = self
            .calls
            .get_mut(position)
            .filter(|_| !arguments.is_empty())
        {
            match &mut open.goal {
                Goal::Call(index) => out.tool_arguments(*index, &arguments),
                Goal::Answer { has_arguments } => {
                    *has_arguments = true;
                    out.text(&arguments);
                }
            }
        }
    }

    /// Which call a piece continues. Servers differ in what they repeat: an id names its call, a
    /// name alone begins one, and else the index or the order tells.
    fn known(&self, call: &Call<'_>) -> Option<usize> {
        if let Some(id) = call.id() {
            return self.calls.iter().position(|open| open.id == id);
        }
        if !call.name().is_empty() {
            return None;
        }
        let by_index = self.calls.iter().rposition(|open| open.index == call.index);
        by_index.or(self.calls.len().checked_sub(1))
    }

    fn open(&mut self, call: &Call<'_>, out: &mut dyn AnswerSink) -> usize {
        let position = self.calls.len();
        let id = call
            .id()
            .map_or_else(|| made_up_id(position), str::to_owned);
        let goal = if self.names.is_answer(call.name()) {
            Goal::Answer {
                has_arguments: false,
            }
        } else {
            Goal::Call(out.tool_call(&id, self.names.restore(call.name())))
        };
        self.calls.push(Open {
            index: call.index,
            id,
            goal,
        });
        position
    }

    fn finish(&mut self, metrics: Option<Usage>, out: &mut dyn AnswerSink) {
        self.complete = true;
        self.cutter.finish(&mut |text| out.text(text));
        for open in &self.calls {
            match open.goal {
                Goal::Call(index) => out.tool_call_end(index),
                Goal::Answer {
                    has_arguments: false,
                } => out.text("{}"),
                Goal::Answer { .. } => {}
            }
        }
        let reason = finish_reason(self.reason, self.intervened, out.tool_calls() > 0);
        out.finish(reason, self.usage.or(metrics).unwrap_or_default());
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let additions = BedrockFields::of(event.payload)?;
        let reply: Reply<'_> = serde_json::from_slice(event.payload)?;
        out.start();
        self.intervened |= additions.intervened();
        self.usage = reply.usage.map(Usage::from).or(self.usage);
        if let Some(choice) = reply.choices.first() {
            let reason = choice.reason()?;
            if let Some(text) = choice.message().and_then(|own| own.content.as_deref())
                && !text.is_empty()
            {
                self.cutter.push(text, &mut |text| out.text(text));
            }
            let calls = choice.message().and_then(|own| own.tool_calls.as_deref());
            for call in calls.unwrap_or_default() {
                self.call(call, out);
            }
            self.reason = reason.or(self.reason);
        }
        if let Some(metrics) = additions.metrics {
            self.finish(Some(metrics.into()), out);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn end(&mut self, out: &mut dyn AnswerSink) {
        if self.reason.is_some() {
            self.finish(None, out);
        }
    }
}
