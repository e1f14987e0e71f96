//! Decodes a streamed answer, event by event.

use super::{Call, Reply, finish_reason, made_up_id};
use crate::bedrock::shared::bedrock_fields::BedrockFields;
use crate::bedrock::shared::prompt::StopCutter;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder, ToolNames};
use crate::openai::{ChunkWriter, FinishReason, Usage};

/// State of one streamed answer.
pub(in crate::bedrock) struct Decoder {
    names: ToolNames,
    cutter: StopCutter,
    calls: Vec<Open>,
    reason: Option<FinishReason>,
    intervened: bool,
    /// The model's own counts.
    usage: Option<Usage>,
    started: bool,
    complete: bool,
}

/// A tool call of this answer.
struct Open {
    /// The model's own index, which need not be dense.
    index: Option<u32>,
    id: String,
    goal: Goal,
    has_arguments: bool,
}

/// What becomes of a call's arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// A call of the client's tool; this is its dense index.
    Call(u32),
    /// The call is the answer.
    Answer,
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
            started: false,
            complete: false,
        }
    }

    fn call(&mut self, call: &Call<'_>, out: &mut ChunkWriter) {
        let known = self.known(call);
        let position = known.unwrap_or_else(|| self.open(call, out));
        let arguments = call.arguments();
        if let Some(open) = self
            .calls
            .get_mut(position)
            .filter(|_| !arguments.is_empty())
        {
            open.has_arguments = true;
            write(open.goal, &arguments, out);
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

    fn open(&mut self, call: &Call<'_>, out: &mut ChunkWriter) -> usize {
        let position = self.calls.len();
        let id = call
            .id()
            .map_or_else(|| made_up_id(position), str::to_owned);
        let goal = if self.names.is_answer(call.name()) {
            Goal::Answer
        } else {
            let index = self.called();
            out.tool_call(index, &id, self.names.restore(call.name()));
            Goal::Call(index)
        };
        self.calls.push(Open {
            index: call.index,
            id,
            goal,
            has_arguments: false,
        });
        position
    }

    /// How many of the client's tools were called.
    fn called(&self) -> u32 {
        self.calls
            .iter()
            .map(|open| u32::from(open.goal != Goal::Answer))
            .sum()
    }

    fn finish(&mut self, metrics: Option<Usage>, out: &mut ChunkWriter) {
        self.complete = true;
        self.cutter.finish(&mut |text| out.content(text));
        for open in self.calls.iter().filter(|open| !open.has_arguments) {
            write(open.goal, "{}", out);
        }
        let reason = finish_reason(self.reason, self.intervened, self.called() > 0);
        out.finish(reason, self.usage.or(metrics).unwrap_or_default());
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut ChunkWriter) -> Result<(), DecodeError> {
        let additions = BedrockFields::of(event.payload)?;
        let reply: Reply<'_> = serde_json::from_slice(event.payload)?;
        if !self.started {
            self.started = true;
            out.role();
        }
        self.intervened |= additions.intervened();
        self.usage = reply.usage.map(Usage::from).or(self.usage);
        if let Some(choice) = reply.choices.first() {
            let reason = choice.reason()?;
            if let Some(text) = choice.message().and_then(|own| own.content.as_deref())
                && !text.is_empty()
            {
                self.cutter.push(text, &mut |text| out.content(text));
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

    fn end(&mut self, out: &mut ChunkWriter) {
        if self.reason.is_some() {
            self.finish(None, out);
        }
    }
}

fn write(goal: Goal, arguments: &str, out: &mut ChunkWriter) {
    match goal {
        Goal::Call(index) => out.tool_arguments(index, arguments),
        Goal::Answer => out.content(arguments),
    }
}
