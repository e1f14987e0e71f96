//! Parameters that other APIs with OpenAI's endpoint have, as far as they mean something here.
//!
//! <https://openrouter.ai/docs/guides/best-practices/reasoning-tokens>,
//! <https://docs.vllm.ai/en/latest/features/reasoning_outputs.html>,
//! <https://docs.claude.com/en/docs/build-with-claude/prompt-caching>

use serde::Deserialize;

use crate::chat::Effort;
use crate::protocol::openai::value::{optional_word, whole};

/// `OpenRouter`'s `reasoning`, which the Responses API has too.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct ReasoningOptions {
    /// How much to think, in a word.
    #[serde(default, deserialize_with = "optional_word")]
    pub effort: Option<Effort>,
    /// The same, in tokens.
    #[serde(default, deserialize_with = "whole")]
    pub max_tokens: Option<u32>,
    /// Whether to think at all.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Whether to hide what was thought.
    #[serde(default)]
    pub exclude: Option<bool>,
}

/// The parts of vLLM's `chat_template_kwargs` that affect the answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct TemplateOptions {
    /// Whether to think: the word of Qwen and others.
    #[serde(default)]
    pub enable_thinking: Option<bool>,
    /// The same: the word of `DeepSeek` and Granite.
    #[serde(default)]
    pub thinking: Option<bool>,
}

impl TemplateOptions {
    /// Whether to think, if it says.
    pub(super) fn thinks(self) -> Option<bool> {
        self.enable_thinking.or(self.thinking)
    }
}
