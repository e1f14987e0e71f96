//! The registry of model families.
//!
//! A new family is one module with a [`Dialect`], one variant of [`Family`]
//! and its rows in the catalogue. A dialect reduces a body to an [`ask::Ask`],
//! and words the [`reply::Reply`] to it.

pub(crate) mod ask;
mod blocks;
pub(crate) mod claude;
mod claude_text;
mod cohere;
mod converse;
mod deepseek;
mod image;
mod j2;
mod jamba;
mod llama;
mod mistral;
mod nova;
mod openai;
mod pieces;
mod reply;
mod sample;
mod schema;
mod titan;
mod told;

pub(crate) use self::converse::Converse;
pub(crate) use self::told::Told;

use serde_json::{Value, json};

use crate::catalog::Model;
use crate::error::AwsError;
use crate::script::Script;

/// What one family refuses and answers.
pub(crate) trait Dialect: Sync {
    /// Refuses whatever AWS refuses.
    ///
    /// # Errors
    /// The `ValidationException` AWS would answer with.
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError>;

    /// The deterministic answer to a body that was validated.
    fn answer(&self, model: &Model, body: &Value, overrides: &Overrides) -> Answer;
}

/// What is known of an answer apart from the fields of the body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Overrides {
    /// What the texts of the body ask for.
    pub(crate) told: Told,
    /// What the answer is taken from.
    pub(crate) script: Option<Script>,
    /// The text of a guardrail that has intervened.
    pub(crate) guardrail: Option<String>,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
}

/// One answer in both forms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// Body of the plain operation.
    pub(crate) body: Value,
    /// Events of the streaming operation, in order.
    pub(crate) events: Vec<Value>,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

impl Answer {
    /// Adds fields to the plain body and to the last event that is an object.
    pub(crate) fn mark(&mut self, name: &str, value: &Value) {
        let end = self.events.iter_mut().rev().find(|event| event.is_object());
        for target in [Some(&mut self.body), end].into_iter().flatten() {
            if let Some(fields) = target.as_object_mut() {
                fields.insert(name.to_owned(), value.clone());
            }
        }
    }

    /// Puts the metrics of `InvokeModelWithResponseStream` where AWS does: in
    /// the last event.
    pub(crate) fn measure(&mut self, overrides: &Overrides) {
        let metrics = json!({
            "inputTokenCount": self.input_tokens,
            "outputTokenCount": self.output_tokens,
            "invocationLatency": 100,
            "firstByteLatency": 50,
            "cacheReadInputTokenCount": overrides.cache_read,
            "cacheWriteInputTokenCount": overrides.cache_write,
        });
        let end = self.events.iter_mut().rev().find_map(Value::as_object_mut);
        if let Some(fields) = end {
            fields.insert("amazon-bedrock-invocationMetrics".to_owned(), metrics);
        }
    }
}

/// The model families the simulator speaks on `InvokeModel`, by body shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Anthropic Claude, Messages.
    Claude,
    /// Anthropic Claude 1, 2 and Instant, text completions.
    ClaudeText,
    /// Cohere Command R.
    CommandR,
    /// Cohere Command, the first generation.
    CommandText,
    /// `DeepSeek` R1, prompt.
    DeepSeekR1,
    /// AI21 Jurassic-2.
    J2,
    /// AI21 Jamba.
    Jamba,
    /// Meta Llama 2, prompt.
    Llama2,
    /// Meta Llama 3 to 3.3, prompt.
    Llama3,
    /// Meta Llama 4, prompt.
    Llama4,
    /// Mistral Large 24.07 and Pixtral, chat.
    MistralChat,
    /// Mistral's instruct prompt.
    MistralPrompt,
    /// Amazon Nova, `messages-v1`.
    Nova,
    /// OpenAI's chat completions, whoever made the model.
    OpenAi,
    /// Amazon Titan Text.
    Titan,
}

impl Family {
    /// The family of an id that is not in the catalogue, judging by its vendor. An ARN
    /// does not reveal one, and counts as Claude.
    pub(crate) fn of_id(id: &str) -> Self {
        let known = [
            ("amazon.nova-", Self::Nova),
            ("amazon.titan-text", Self::Titan),
            ("ai21.jamba", Self::Jamba),
            ("cohere.command-r", Self::CommandR),
            ("deepseek.r1", Self::DeepSeekR1),
            ("meta.llama4", Self::Llama4),
            ("meta.llama3", Self::Llama3),
            ("meta.llama2", Self::Llama2),
            ("anthropic.claude-v", Self::ClaudeText),
            ("anthropic.claude-instant", Self::ClaudeText),
            ("anthropic.", Self::Claude),
            ("arn:", Self::Claude),
        ];
        let found = known.iter().find(|(prefix, _)| id.starts_with(prefix));
        found.map_or(Self::OpenAi, |(_, family)| *family)
    }

    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Claude => &claude::Claude,
            Self::ClaudeText => &claude_text::ClaudeText,
            Self::CommandR => &cohere::CommandR,
            Self::CommandText => &cohere::CommandText,
            Self::DeepSeekR1 => &deepseek::DeepSeekR1,
            Self::J2 => &j2::J2,
            Self::Jamba => &jamba::Jamba,
            Self::Llama2 => &llama::Llama::Two,
            Self::Llama3 => &llama::Llama::Three,
            Self::Llama4 => &llama::Llama::Four,
            Self::MistralChat => &mistral::MistralChat,
            Self::MistralPrompt => &mistral::MistralPrompt,
            Self::Nova => &nova::Nova,
            Self::OpenAi => &openai::OpenAi,
            Self::Titan => &titan::Titan,
        }
    }
}

pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(crate) fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name)?.as_u64()
}

/// Digits of a hash: the same body gets the same id.
pub(crate) fn digits(body: &Value) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(body.to_string().as_bytes());
    digest
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
