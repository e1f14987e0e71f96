//! The body of `POST /v1/chat/completions`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::foreign::{ReasoningOptions, TemplateOptions};
use super::format::ResponseFormat;
use super::message::Message;
use super::tool::{Function, Tool};
use super::tool_choice::{LegacyChoice, ToolChoice};
use crate::chat::Effort;
use crate::json::Text;
use crate::protocol::openai::content::{CacheControl, Content};
use crate::protocol::openai::options::{GuardrailConfig, PerformanceConfig};
use crate::protocol::openai::value::{Label, one_or_many, optional_word, top_k, whole};

/// A chat request; strings borrow from the body.
///
/// Every parameter of the API has a field here. The dialect decides which of them a model honours, see
/// [`crate::chat::Param`]. Of all others, only the names are kept.
#[derive(Clone, Debug, Deserialize)]
pub struct ChatRequest<'a> {
    /// Name of the model, as the client knows it.
    #[serde(default, borrow)]
    pub model: Option<Text<'a>>,
    /// The conversation.
    #[serde(default, borrow)]
    pub messages: Option<Vec<Message<'a>>>,
    /// Extension: beta features of Claude.
    #[serde(default, borrow)]
    pub anthropic_beta: Option<Vec<Text<'a>>>,
    /// Anthropic's: the whole request may be cached.
    #[serde(default)]
    pub cache_control: Option<CacheControl>,
    /// vLLM's: options of the model's template.
    #[serde(default)]
    pub chat_template_kwargs: Option<TemplateOptions>,
    /// Qwen's: whether to think.
    #[serde(default)]
    pub enable_thinking: Option<bool>,
    /// Parameters that belong beside it: what OpenAI's own libraries unpack.
    #[serde(default, borrow)]
    pub extra_body: Option<&'a RawValue>,
    /// Wanted form of spoken answers.
    #[serde(default, borrow)]
    pub audio: Option<&'a RawValue>,
    /// Penalty on frequent tokens, -2 to 2.
    #[serde(default)]
    pub frequency_penalty: Option<f64>,
    /// Older form of `tool_choice`.
    #[serde(default, borrow)]
    pub function_call: Option<LegacyChoice<'a>>,
    /// Older form of `tools`.
    #[serde(default, borrow)]
    pub functions: Option<Vec<Function<'a>>>,
    /// Extension: the guardrail to apply instead of the channel's.
    #[serde(default, borrow, rename = "guardrailConfig")]
    pub guardrail: Option<GuardrailConfig<'a>>,
    /// `OpenRouter`'s: whether to show what the model thought.
    #[serde(default)]
    pub include_reasoning: Option<bool>,
    /// Bias on single tokens.
    #[serde(default, borrow)]
    pub logit_bias: Option<&'a RawValue>,
    /// Whether to report token probabilities.
    #[serde(default)]
    pub logprobs: Option<bool>,
    /// Longest answer in tokens.
    #[serde(default, deserialize_with = "whole")]
    pub max_completion_tokens: Option<u32>,
    /// Older name of `max_completion_tokens`, which wins over it.
    #[serde(default, deserialize_with = "whole")]
    pub max_tokens: Option<u32>,
    /// Labels for the operator's logs.
    #[serde(default, borrow)]
    pub metadata: Option<BTreeMap<String, Label<'a>>>,
    /// Wanted kinds of output.
    #[serde(default, borrow)]
    pub modalities: Option<Vec<Text<'a>>>,
    /// Number of answers.
    #[serde(default, deserialize_with = "whole")]
    pub n: Option<u32>,
    /// Whether the model may call several tools at once.
    #[serde(default)]
    pub parallel_tool_calls: Option<bool>,
    /// Extension: `{"latency": "standard" | "optimized"}`.
    #[serde(default, borrow, rename = "performanceConfig")]
    pub performance: Option<PerformanceConfig<'a>>,
    /// Penalty on tokens that appeared, -2 to 2.
    #[serde(default)]
    pub presence_penalty: Option<f64>,
    /// How much to think.
    #[serde(default, deserialize_with = "optional_word")]
    pub reasoning_effort: Option<Effort>,
    /// `OpenRouter`'s: how much to think, and whether to show it.
    #[serde(default)]
    pub reasoning: Option<ReasoningOptions>,
    /// The AI SDK's name for `reasoning_effort`, which some clients send unchanged.
    #[serde(
        default,
        rename = "reasoningEffort",
        deserialize_with = "optional_word"
    )]
    pub camel_case_effort: Option<Effort>,
    /// Shape of the answer.
    #[serde(default, borrow)]
    pub response_format: Option<ResponseFormat<'a>>,
    /// Makes sampling repeatable.
    #[serde(default, deserialize_with = "whole")]
    pub seed: Option<i64>,
    /// Processing class.
    #[serde(default, borrow)]
    pub service_tier: Option<Text<'a>>,
    /// Texts that end the answer.
    #[serde(default, borrow, deserialize_with = "one_or_many")]
    pub stop: Option<Vec<Text<'a>>>,
    /// Anthropic's name for them.
    #[serde(default, borrow)]
    pub stop_sequences: Option<Vec<Text<'a>>>,
    /// Whether to answer as server-sent events.
    #[serde(default)]
    pub stream: Option<bool>,
    /// Options of a streamed answer.
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    /// Anthropic's: instructions before the conversation.
    #[serde(default, borrow)]
    pub system: Option<Content<'a>>,
    /// Sampling temperature, 0 to 2.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Extension: Claude's own thinking configuration.
    #[serde(default, borrow)]
    pub thinking: Option<&'a RawValue>,
    /// Which tools the model may or must call.
    #[serde(default, borrow)]
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Tools that the model may call.
    #[serde(default, borrow)]
    pub tools: Option<Vec<Tool<'a>>>,
    /// Extension: sample from the `top_k` likeliest tokens.
    #[serde(default, deserialize_with = "top_k")]
    pub top_k: Option<u32>,
    /// Number of alternatives whose probabilities to report.
    #[serde(default, deserialize_with = "whole")]
    pub top_logprobs: Option<u32>,
    /// Nucleus sampling, 0 to 1.
    #[serde(default)]
    pub top_p: Option<f64>,
    /// The end user, opaque.
    #[serde(default, borrow)]
    pub user: Option<Text<'a>>,
    /// OpenAI's own web search.
    #[serde(default, borrow)]
    pub web_search_options: Option<&'a RawValue>,
    /// The body that it was read from.
    #[serde(skip)]
    pub source: &'a [u8],
    /// Unknown names.
    #[serde(skip)]
    pub unknown: Vec<Cow<'a, str>>,
    #[serde(default, rename = "moderation")]
    pub(super) moderation: Option<IgnoredAny>,
    #[serde(default, rename = "prediction")]
    pub(super) prediction: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_key")]
    pub(super) prompt_cache_key: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_options")]
    pub(super) prompt_cache_options: Option<IgnoredAny>,
    #[serde(default, rename = "prompt_cache_retention")]
    pub(super) prompt_cache_retention: Option<IgnoredAny>,
    #[serde(default, rename = "safety_identifier")]
    pub(super) safety_identifier: Option<IgnoredAny>,
    #[serde(default, rename = "store")]
    pub(super) store: Option<IgnoredAny>,
    #[serde(default, rename = "verbosity")]
    pub(super) verbosity: Option<IgnoredAny>,
}

/// Options of a streamed answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct StreamOptions {
    /// Whether a last chunk reports the token counts.
    #[serde(default)]
    pub include_usage: Option<bool>,
}

/// Every parameter is named, so that a new one is a compile error until it is here.
macro_rules! overwrite {
    ($($field:ident)*) => {
        impl ChatRequest<'_> {
            /// Takes over what another object of parameters has.
            pub(super) fn overwrite_with(&mut self, other: Box<Self>) {
                let Self { source: _, unknown: _, $($field,)* } = *other;
                $(
                    if $field.is_some() {
                        self.$field = $field;
                    }
                )*
            }
        }
    };
}

overwrite! {
    model messages anthropic_beta cache_control chat_template_kwargs
    enable_thinking extra_body audio frequency_penalty function_call
    functions guardrail include_reasoning logit_bias logprobs
    max_completion_tokens max_tokens metadata modalities n
    parallel_tool_calls performance presence_penalty reasoning_effort reasoning
    camel_case_effort response_format seed service_tier stop
    stop_sequences stream stream_options system temperature
    thinking tool_choice tools top_k top_logprobs
    top_p user web_search_options moderation prediction
    prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier store
    verbosity
}

impl ChatRequest<'_> {
    /// Whether a stream ends with the token counts.
    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options
            .and_then(|options| options.include_usage)
            .unwrap_or(false)
    }
}
