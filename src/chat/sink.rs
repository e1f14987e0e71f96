//! What the decoder of a streamed answer reports, whichever protocol writes it for the client.

use super::{Completion, FinishReason, Thought, Usage};

/// Takes an answer as it arrives.
///
/// Decoders report what the model said, in order. The sink takes care of what every answer needs: that it begins
/// once, that tool calls have dense indexes and ids of their own, and that their arguments are JSON.
pub trait AnswerSink {
    /// The model has begun to answer; only the first call counts, and any other report begins the answer too.
    fn start(&mut self);

    /// A piece of the answer's text.
    fn text(&mut self, text: &str);

    /// A piece of the model's reasoning.
    fn reasoning(&mut self, text: &str);

    /// A whole thought with its proof, after its text has been reported as reasoning.
    fn thought(&mut self, thought: &Thought);

    /// The start of a tool call.
    fn tool_call(&mut self, id: &str, name: &str) -> CallIndex;

    /// The arguments of a tool call in case no piece of them comes.
    fn tool_input(&mut self, call: CallIndex, json: &str);

    /// A piece of a tool call's arguments, which may be empty.
    fn tool_arguments(&mut self, call: CallIndex, json: &str);

    /// The end of a tool call. A call without this end ends with the answer.
    fn tool_call_end(&mut self, call: CallIndex);

    /// How many tool calls there are so far.
    fn tool_calls(&self) -> u32;

    /// The processing class that was used.
    fn service_tier(&mut self, tier: &str);

    /// The stop text that ended the answer; reported before its end.
    fn stop_sequence(&mut self, text: &str);

    /// The model's word for why it ended, if its meaning is unknown; reported before its end.
    fn unknown_reason(&mut self, word: &str);

    /// The end of the answer.
    fn finish(&mut self, reason: FinishReason, usage: Usage);
}

/// A tool call of one answer: they count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallIndex(pub(super) u32);

impl CallIndex {
    /// A call that is hidden from the client: nothing reported about it goes anywhere.
    pub const UNTOLD: Self = Self(u32::MAX);
}

/// Reports a whole answer, for clients that want a stream of what the model does not stream.
pub fn report(answer: &Completion, out: &mut dyn AnswerSink) {
    out.start();
    if let Some(tier) = &answer.service_tier {
        out.service_tier(tier);
    }
    if let Some(reasoning) = answer.reasoning.as_deref().filter(|own| !own.is_empty()) {
        out.reasoning(reasoning);
    }
    for thought in &answer.thoughts {
        if let Thought::Thinking { thinking, .. } = thought
            && !thinking.is_empty()
        {
            out.reasoning(thinking);
        }
        out.thought(thought);
    }
    if let Some(text) = answer.content.as_deref().filter(|own| !own.is_empty()) {
        out.text(text);
    }
    for call in &answer.tool_calls {
        let index = out.tool_call(&call.id, &call.name);
        out.tool_arguments(index, &call.arguments);
        out.tool_call_end(index);
    }
    if let Some(text) = &answer.stop_sequence {
        out.stop_sequence(text);
    }
    if let Some(word) = &answer.unknown_reason {
        out.unknown_reason(word);
    }
    out.finish(answer.finish_reason, answer.usage);
}
