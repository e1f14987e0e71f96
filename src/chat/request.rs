//! What a client asks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Asked, Message, Param, Place, Tool, ToolChoice};
use crate::json::{MIN_SPAN, Text};

/// A chat request; texts borrow from the client's body.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// Name of the model, as the client knows it.
    pub model: Text<'a>,
    /// The conversation.
    pub messages: Vec<Message<'a>>,
    /// Tools that the model may call.
    pub tools: Vec<Tool<'a>>,
    /// Which of them it may or must call.
    pub tool_choice: ToolChoice<'a>,
    /// The names of those that it may call, if not all.
    pub allowed_tools: Option<Vec<Text<'a>>>,
    /// Whether it may call several at once.
    pub parallel_tool_calls: bool,
    /// Shape of the answer.
    pub output: OutputFormat<'a>,
    /// Longest answer in tokens.
    pub max_output: Option<u32>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Texts that end the answer.
    pub stop: Vec<Text<'a>>,
    /// How much to think.
    pub reasoning: Reasoning,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// The end user, opaque.
    pub user: Option<Text<'a>>,
    /// Beta features of Claude, in Anthropic's words.
    pub beta_features: Vec<Text<'a>>,
    /// The guardrail to apply instead of the channel's.
    pub guardrail: Option<Guardrail<'a>>,
    /// Bedrock's latency: `standard` or `optimized`.
    pub latency: Option<Text<'a>>,
    /// Processing class.
    pub service_tier: Option<Text<'a>>,
    /// Labels for the operator's logs.
    pub metadata: BTreeMap<Text<'a>, Text<'a>>,
    /// What the client set, in its protocol's order of parameters.
    pub asked: Vec<Asked>,
    /// Names of what the client sent that its protocol does not have; nothing is done about it.
    pub unknown: Vec<Cow<'a, str>>,
    /// The body that it was read from.
    pub source: &'a [u8],
}

/// How tokens are chosen; ranges are the protocol's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sampling {
    /// Sampling temperature, 0 to 2.
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<f64>,
    /// Number of the likeliest tokens to sample from.
    pub top_k: Option<u32>,
    /// Makes sampling repeatable.
    pub seed: Option<i64>,
    /// Penalty on frequent tokens, -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Penalty on tokens that appeared, -2 to 2.
    pub presence_penalty: Option<f64>,
}

/// How much to think. An exact wish wins over an effort.
#[derive(Clone, Debug, Default)]
pub struct Reasoning {
    /// In a word.
    pub effort: Option<Effort>,
    /// Exactly.
    pub thinking: Option<Thinking>,
}

/// How much to think, in a word; least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words that all vendors use")]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// How to think, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thinking {
    /// Whether, and who decides how much.
    pub mode: ThinkingMode,
    /// Most tokens of it.
    pub budget_tokens: Option<u32>,
    /// How it is shown: a word of Claude's.
    pub display: Option<String>,
    /// Whether the effort will do where this will not.
    pub is_hint: bool,
}

/// Whether to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThinkingMode {
    /// Within a budget.
    Enabled,
    /// As much as the model sees fit.
    Adaptive,
    /// Not at all.
    Disabled,
}

/// The shape that the answer must have.
#[derive(Clone, Debug, Default)]
pub enum OutputFormat<'a> {
    /// Free text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema(JsonSchema<'a>),
}

/// A named schema.
#[derive(Clone, Debug)]
pub struct JsonSchema<'a> {
    /// Name of the shape.
    pub name: Text<'a>,
    /// What it is for.
    pub description: Option<Text<'a>>,
    /// The JSON schema, an object, as it was written.
    pub schema: &'a RawValue,
    /// Whether the answer must fit exactly.
    pub strict: bool,
}

/// A guardrail of Bedrock's:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailConfiguration.html>.
#[derive(Clone, Debug)]
pub struct Guardrail<'a> {
    /// Its id or ARN.
    pub identifier: Text<'a>,
    /// A number, or `DRAFT`.
    pub version: Text<'a>,
    /// `enabled`, `disabled` or `enabled_full`.
    pub trace: Option<Text<'a>>,
}

impl OutputFormat<'_> {
    /// Whether nothing special is asked for.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }
}

impl Request<'_> {
    /// The client's name for a parameter.
    #[must_use]
    pub fn name_of(&self, param: Param) -> &'static str {
        // The newer of two names for one thing stands last in every protocol's order.
        let asked = self.asked.iter().rfind(|asked| asked.param == param);
        asked.map_or(param.name(), |asked| asked.name)
    }

    /// Where a parameter is, by the client's name for it.
    #[must_use]
    pub fn place_of(&self, param: Param) -> Place {
        self.name_of(param).into()
    }

    /// Bytes of the texts that are too long to be copied, see [`MIN_SPAN`].
    #[must_use]
    pub fn long_texts(&self) -> usize {
        let mut sum = 0;
        for message in &self.messages {
            for block in &message.blocks {
                block.each_text(&mut |text| {
                    let length = text.json_len();
                    if length >= MIN_SPAN {
                        sum += length;
                    }
                });
            }
        }
        sum
    }
}
