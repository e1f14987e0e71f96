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

    /// A piece of a tool call's arguments, which may be empty.
    fn tool_arguments(&mut self, call: CallIndex, json: &str);

    /// The end of a tool call. Calls that nobody ends, end with the answer.
    fn tool_call_end(&mut self, call: CallIndex);

    /// How many tool calls there are so far.
    fn tool_calls(&self) -> u32;

    /// The processing class that was used.
    fn service_tier(&mut self, tier: &str);

    /// The end of the answer.
    fn finish(&mut self, reason: FinishReason, usage: Usage);
}

/// A tool call of one answer: they count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallIndex(pub(super) u32);

#[cfg(test)]
pub(crate) mod testing {
    //! A sink that keeps what it is told.

    use super::*;
    use crate::chat::{Error, EventWriter, Guarded};

    /// The tool calls of an answer: id, name and arguments of each.
    #[derive(Debug, Default)]
    pub(crate) struct Recorder {
        calls: Vec<[String; 3]>,
    }

    impl Recorder {
        pub(crate) fn sink() -> Guarded<Self> {
            Guarded::new(Self::default())
        }

        pub(crate) fn calls(&self) -> &[[String; 3]] {
            &self.calls
        }
    }

    impl EventWriter for Recorder {
        fn start(&mut self) {}
        fn text(&mut self, _: &str) {}
        fn reasoning(&mut self, _: &str) {}
        fn thought(&mut self, _: &Thought) {}
        fn tool_call(&mut self, index: u32, id: &str, name: &str) {
            assert_eq!(index as usize, self.calls.len());
            self.calls
                .push([id.to_owned(), name.to_owned(), String::new()]);
        }
        fn tool_arguments(&mut self, index: u32, json: &str) {
            self.calls[index as usize][2] += json;
        }
        fn service_tier(&mut self, _: &str) {}
        fn finish(&mut self, _: FinishReason, _: Usage) {}
        fn error(&mut self, _: &Error) {}
        fn take(&mut self) -> Vec<u8> {
            Vec::new()
        }
    }
}
