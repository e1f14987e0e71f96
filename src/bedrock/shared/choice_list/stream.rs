//! Decodes a streamed answer, event by event.

use super::{Call, Reply, made_up_id};
use crate::bedrock::shared::answer_text::StopCutter;
use crate::bedrock::shared::answer_tool::AnswerArguments;
use crate::bedrock::shared::bedrock_fields::BedrockFields;
use crate::bedrock::shared::end_reason::{Called, CutAt, EndReason};
use crate::bedrock::shared::markup::Listener;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder, ToolNames};
use crate::chat::{AnswerSink, CallIndex, Usage};

/// State of one streamed answer.
pub(in crate::bedrock) struct Decoder {
    names: ToolNames,
    cutter: StopCutter,
    listener: Listener,
    calls: Vec<Open>,
    end: EndReason,
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

/// Where a call's arguments go.
enum Goal {
    /// A call of the client's tool.
    Call(CallIndex),
    /// The call is the answer.
    Answer(AnswerArguments),
}

impl Decoder {
    pub(in crate::bedrock) fn new(answer: Answer) -> Self {
        Self {
            listener: Listener::new(answer.markup, &answer.names),
            names: answer.names,
            cutter: StopCutter::new(answer.text.stops),
            calls: Vec::new(),
            end: EndReason::default(),
            usage: None,
            complete: false,
        }
    }

    /// Takes a piece of a call; `before` is how many calls had begun before the event with this piece.
    fn call(&mut self, call: &Call<'_>, before: usize, out: &mut dyn AnswerSink) {
        let known = self.known(call, before);
        let position = known.unwrap_or_else(|| self.open(call, out));
        let arguments = call.arguments();
        if let Some(open) = self
            .calls
            .get_mut(position)
            .filter(|_| !arguments.is_empty())
        {
            match &mut open.goal {
                Goal::Call(index) => out.tool_arguments(*index, &arguments),
                Goal::Answer(own) => write(&own.push(&arguments), out),
            }
        }
    }

    /// Which call a piece continues. Servers differ in what they repeat: an id names its call, a name without an id
    /// begins one, and otherwise the index or the order decides. Two calls may still have the same id: those of one
    /// event are different calls, and so are those with different indexes.
    fn known(&self, call: &Call<'_>, before: usize) -> Option<usize> {
        if let Some(id) = call.id() {
            let is_other = |open: &Open| open.index.zip(call.index).is_some_and(|(a, b)| a != b);
            let mut calls = self.calls.iter().take(before);
            return calls.position(|open| open.id == id && !is_other(open));
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
            Goal::Answer(self.names.answer_arguments())
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
        let (listener, names) = (&mut self.listener, &self.names);
        self.cutter
            .finish(&mut |text| listener.text(text, names, out));
        listener.finish(Called::so_far(out), names, out);
        for open in &mut self.calls {
            match &mut open.goal {
                Goal::Call(index) => out.tool_call_end(*index),
                Goal::Answer(arguments) => write(&arguments.end(), out),
            }
        }
        if let Some(stop) = self.cutter.reached() {
            self.end.cut(&CutAt::StopText(stop));
            out.stop_sequence(stop);
        }
        let usage = self.usage.or(metrics).unwrap_or_default();
        self.end.finish(Called::so_far(out), usage, out);
    }
}

fn write(text: &str, out: &mut dyn AnswerSink) {
    if !text.is_empty() {
        out.text(text);
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let bedrock_fields = BedrockFields::of(event.payload)?;
        let reply: Reply<'_> = serde_json::from_slice(event.payload)?;
        out.start();
        if bedrock_fields.intervened() {
            self.end.intervene();
        }
        self.usage = reply.usage.map(Usage::from).or(self.usage);
        if let Some(choice) = reply.choices.first() {
            if let Some(text) = choice.message().and_then(|own| own.content.as_deref())
                && !text.is_empty()
            {
                let (listener, names) = (&mut self.listener, &self.names);
                self.cutter
                    .push(text, &mut |text| listener.text(text, names, out));
            }
            let calls = choice.message().and_then(|own| own.tool_calls.as_deref());
            let before = self.calls.len();
            if calls.is_some_and(|calls| !calls.is_empty()) {
                self.listener.finish(Called::Tools, &self.names, out);
            }
            for call in calls.unwrap_or_default() {
                self.call(call, before, out);
            }
            self.end.take(choice.reason())?;
        }
        if let Some(metrics) = bedrock_fields.metrics {
            self.finish(Some(metrics.into()), out);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn end(&mut self, out: &mut dyn AnswerSink) {
        if self.end.is_set() {
            self.finish(None, out);
        }
    }
}
