//! A client's request.

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
    /// The end user.
    pub user: Option<EndUser<'a>>,
    /// Beta features of Claude, by Anthropic's names.
    pub beta_features: Vec<Text<'a>>,
    /// Whether unknown ones are left out instead of refused.
    pub drops_unknown_betas: bool,
    /// What Claude is to remove from a long conversation: Anthropic's `context_management`.
    pub context_edits: Option<&'a RawValue>,
    /// The guardrail to apply instead of the channel's.
    pub guardrail: Option<Guardrail<'a>>,
    /// Bedrock's latency: `standard` or `optimized`.
    pub latency: Option<Text<'a>>,
    /// Processing class.
    pub service_tier: Option<Text<'a>>,
    /// Labels for the operator's logs.
    pub metadata: BTreeMap<Text<'a>, Text<'a>>,
    /// The operator's own labels, which the client's cannot replace.
    pub labels: BTreeMap<String, String>,
    /// What the client set, in its protocol's order of parameters.
    pub asked: Vec<Asked>,
    /// Names that the client sent and its protocol does not have; they have no effect.
    pub unknown: Vec<Cow<'a, str>>,
    /// Names of what the client sent that is unsupported here and not refused by a setting: the answer is as good
    /// without it.
    pub left_out: Vec<Cow<'a, str>>,
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
    /// Penalty on tokens that have already appeared, -2 to 2.
    pub presence_penalty: Option<f64>,
}

/// How much to think. Exact instructions win over an effort.
#[derive(Clone, Debug, Default)]
pub struct Reasoning {
    /// In a word.
    pub effort: Option<Effort>,
    /// What that word is about.
    pub effort_scope: EffortScope,
    /// Exactly.
    pub thinking: Option<Thinking>,
    /// Who sees it.
    pub thoughts: Thoughts,
}

/// What an effort is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EffortScope {
    /// Thinking, which it turns on.
    #[default]
    Thinking,
    /// The whole answer, as at Anthropic: whether the model thinks is said apart from it.
    Answer,
}

/// What a client wants to see of the model's thoughts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Thoughts {
    /// What the model shows by itself, or nothing.
    #[default]
    AsTheyCome,
    /// Those that it asks the model to have.
    IfAsked,
    /// All.
    All,
}

/// The end user.
#[derive(Clone, Debug)]
pub enum EndUser<'a> {
    /// Whatever the application calls its users, such as an address.
    Any(Text<'a>),
    /// An id that says nothing about a person: the client's protocol asks for that.
    Opaque(Text<'a>),
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
    /// Whether the effort will do if this is impossible.
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

impl Reasoning {
    /// What is asked in a word, for models that take nothing else.
    #[must_use]
    pub fn in_a_word(&self) -> Option<Effort> {
        let Some(thinking) = &self.thinking else {
            return self.effort;
        };
        Some(match (thinking.mode, thinking.budget_tokens) {
            (ThinkingMode::Disabled, _) => Effort::None,
            (ThinkingMode::Adaptive, _) => self.effort.unwrap_or(Effort::High),
            (ThinkingMode::Enabled, None) => Effort::Medium,
            (ThinkingMode::Enabled, Some(tokens)) => Effort::of_budget(tokens),
        })
    }

    /// The parameters with which a model is asked to think.
    pub fn wishes(&self) -> impl Iterator<Item = Param> + use<> {
        let is_on = |own: &Thinking| own.mode != ThinkingMode::Disabled;
        let thinking = self.thinking.as_ref().filter(|own| is_on(own));
        let effort = self.effort.filter(|own| *own != Effort::None);
        let thinking = thinking.map(|_| Param::Thinking);
        thinking.into_iter().chain(effort.map(|_| Param::Effort))
    }
}

impl Effort {
    /// The effort that comes closest to a budget of thinking, in tokens.
    #[must_use]
    pub fn of_budget(tokens: u32) -> Self {
        match tokens {
            0 => Self::None,
            1..=1_024 => Self::Low,
            1_025..=2_048 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl OutputFormat<'_> {
    /// Whether it asks for nothing special.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }
}

impl Request<'_> {
    /// The client's name for a parameter.
    #[must_use]
    pub fn name_of(&self, param: Param) -> &'static str {
        // Of two names for one thing, the newer comes last in every protocol's order.
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
