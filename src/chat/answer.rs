//! What a model answered.

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// The upstream's own id of the answer, if it has one.
    pub id: Option<String>,
    /// Text of the answer; `None` when there is none.
    pub content: Option<String>,
    /// Reasoning that comes without proof, as open models give it.
    pub reasoning: Option<String>,
    /// Reasoning that must come back unchanged in the next request.
    pub thoughts: Vec<Thought>,
    /// Tools that the model calls.
    pub tool_calls: Vec<ToolCall>,
    /// Why the answer ended.
    pub finish_reason: FinishReason,
    /// The stop text that ended it, where the model says which.
    pub stop_sequence: Option<String>,
    /// Token counts.
    pub usage: Usage,
    /// Processing class that was used, from families that tell it in the body.
    pub service_tier: Option<String>,
}

/// What an answer says about itself.
#[derive(Clone, Debug, Default)]
pub struct AnswerHead {
    /// Id of the answer, without a protocol's prefix.
    pub id: String,
    /// Seconds since the epoch.
    pub created: u64,
    /// Name of the model, as the client asked for it.
    pub model: String,
    /// Processing class that Bedrock used, if it says.
    pub service_tier: Option<String>,
}

/// A piece of reasoning with the proof that it is the model's own.
///
/// Clients send it back as they got it, which makes the round trip stateless.
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
    /// The model was done, or reached a stop text.
    #[default]
    Stop,
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
    /// Input tokens written to a cache.
    pub cache_write: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// All input tokens, cached ones too.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input + self.cache_read + self.cache_write
    }
}
