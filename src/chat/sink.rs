//! What the decoder of a streamed answer says, whoever writes it down for the client.

use super::{FinishReason, Thought, Usage};

/// Takes an answer as it arrives.
///
/// Decoders say what the model said, in its order. The sink sees to what every answer needs: that it begins
/// once, that tool calls have dense indexes and ids of their own, and that their arguments are JSON.
pub trait AnswerSink {
    /// The model has begun to answer; only the first time counts, and saying anything else begins too.
    fn start(&mut self);

    /// A piece of the answer's text.
    fn text(&mut self, text: &str);

    /// A piece of the model's reasoning.
    fn reasoning(&mut self, text: &str);

    /// A whole thought with its proof, after its text has been said as reasoning.
    fn thought(&mut self, thought: &Thought);

    /// The start of a tool call.
    fn tool_call(&mut self, id: &str, name: &str) -> CallIndex;

    /// What a tool call's arguments are if no piece of them comes.
    fn tool_input(&mut self, call: CallIndex, json: &str);

    /// A piece of a tool call's arguments, which may be empty.
    fn tool_arguments(&mut self, call: CallIndex, json: &str);

    /// The end of a tool call. Calls that nobody ends, end with the answer.
    fn tool_call_end(&mut self, call: CallIndex);

    /// How many tool calls there are so far.
    fn tool_calls(&self) -> u32;

    /// The processing class that was used.
    fn service_tier(&mut self, tier: &str);

    /// The stop text that ended the answer, said before its end.
    fn stop_sequence(&mut self, text: &str);

    /// The model's word for why it ended, where nobody knows what it means; said before its end.
    fn unknown_reason(&mut self, word: &str);

    /// The end of the answer.
    fn finish(&mut self, reason: FinishReason, usage: Usage);
}

/// A tool call of one answer: they count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallIndex(pub(super) u32);

impl CallIndex {
    /// A call that nobody is told of: what is said of it goes nowhere.
    pub const UNTOLD: Self = Self(u32::MAX);
}
