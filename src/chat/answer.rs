//! What a model answered.

use std::fmt;
use std::rc::Rc;
use std::time::SystemTime;

use super::calls::{Arguments, own_id};

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// The upstream's own id of the answer, if it has one.
    pub id: Option<String>,
    /// Text of the answer; `None` when there is none.
    pub content: Option<String>,
    /// Reasoning that comes without proof, as from open models.
    pub reasoning: Option<String>,
    /// Reasoning that must come back unchanged in the next request.
    pub thoughts: Vec<Thought>,
    /// Tools that the model calls.
    pub tool_calls: Vec<ToolCall>,
    /// Why the answer ended.
    pub finish_reason: FinishReason,
    /// The model's word for that, if its meaning is unknown.
    pub unknown_reason: Option<String>,
    /// The stop text that ended it, if the model says which.
    pub stop_sequence: Option<String>,
    /// Token counts.
    pub usage: Usage,
    /// Processing class that was used, from families that name it in the body.
    pub service_tier: Option<String>,
}

impl Completion {
    /// Takes care of what every answer needs, as the sink of a stream does: tool calls have ids of their own, and
    /// arguments that are JSON objects.
    pub fn settle(&mut self) {
        for index in 0..self.tool_calls.len() {
            let (before, rest) = self.tool_calls.split_at_mut(index);
            let Some(call) = rest.first_mut() else {
                return;
            };
            let is_taken = |id: &str| before.iter().any(|call| call.id == id);
            call.id = own_id(&call.id, index, is_taken).into_owned();
            call.arguments = Arguments::whole(&call.arguments);
        }
    }
}

/// Tells the time.
pub type Clock = fn() -> SystemTime;

/// What an answer tells about itself.
#[derive(Clone, Debug, Default)]
pub struct AnswerHead {
    /// Id of the answer, without a protocol's prefix.
    pub id: String,
    /// Seconds since the epoch.
    pub created: u64,
    /// Tells when it ends.
    pub clock: Option<Clock>,
    /// Name of the model, as the client asked for it.
    pub model: String,
    /// Processing class that Bedrock used, if it names one.
    pub service_tier: Option<String>,
    /// Whether the model proves what it thought, and shows no more than a summary of it.
    pub proves_thoughts: bool,
    /// Seals thoughts for clients that are to send them back.
    pub sealer: Option<Rc<dyn Sealer>>,
}

/// Seals thoughts for their way through a client and back.
pub trait Sealer: fmt::Debug {
    /// A text that nobody can change unnoticed and that opens for the same family of models alone.
    fn seal(&self, thought: &Thought) -> Option<String>;
}

/// A piece of reasoning with the proof that it is the model's own.
///
/// Clients send it back unchanged, so the gateway keeps no state between requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thought {
    /// A readable thought; some models show only its signature.
    Thinking {
        /// The thought.
        thinking: String,
        /// Its proof.
        signature: String,
    },
    /// An encrypted thought.
    RedactedThinking {
        /// The thought, encrypted.
        data: String,
    },
}

/// A tool call of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// Ties the call to its result.
    pub id: String,
    /// Name of the tool, as the client wrote it.
    pub name: String,
    /// A JSON object.
    pub arguments: String,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FinishReason {
    /// The model was done.
    #[default]
    Stop,
    /// It reached one of the client's stop texts.
    StopText,
    /// The token limit was reached.
    Length,
    /// The model calls tools.
    ToolCalls,
    /// A filter or the model itself withheld the answer.
    ContentFilter,
}

/// Token counts of an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens that were neither read from nor written to a cache.
    pub input: u64,
    /// Input tokens read from a cache.
    pub cache_read: u64,
    /// Input tokens written to a cache, for however long.
    pub cache_write: u64,
    /// Those of them that are kept for an hour, as far as the model says so.
    pub cache_write_1h: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// All input tokens, including cached ones.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        // Whoever answers may say anything.
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_whole_answer_have_ids_of_their_own_and_objects_for_arguments() {
        let call = |id: &str, arguments: &str| ToolCall {
            id: id.to_owned(),
            name: "f".to_owned(),
            arguments: arguments.to_owned(),
        };
        let mut answer = Completion {
            tool_calls: vec![call("a", "{}{\"x\":1}"), call("a", ""), call("", "null")],
            ..Completion::default()
        };
        answer.settle();
        assert_eq!(
            answer.tool_calls,
            [
                call("a", "{\"x\":1}"),
                call("a-2", "{}"),
                call("call_2", "{}")
            ]
        );
    }
}
