//! Parameters that other APIs with OpenAI's endpoint have, as far as they mean something here.
//!
//! <https://openrouter.ai/docs/guides/best-practices/reasoning-tokens>,
//! <https://docs.vllm.ai/en/latest/features/reasoning_outputs.html>,
//! <https://docs.claude.com/en/docs/build-with-claude/prompt-caching>

use serde::Deserialize;

use super::request::ChatRequest;
use super::value::{optional_word, whole};
use crate::chat::{Effort, Reasoning, Thinking, ThinkingMode};

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
    /// Whether to keep quiet about what was thought.
    #[serde(default)]
    pub exclude: Option<bool>,
}

/// What of vLLM's `chat_template_kwargs` says something about the answer.
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

/// How much is meant by who only says that the model shall think, as at `OpenRouter`.
fn effort_of(thinks: bool) -> Effort {
    if thinks { Effort::Medium } else { Effort::None }
}

/// The effort that a number of tokens stands for.
fn effort_for(tokens: u32) -> Effort {
    match tokens {
        0 => Effort::None,
        1..=1_024 => Effort::Low,
        1_025..=8_192 => Effort::Medium,
        _ => Effort::High,
    }
}

impl ChatRequest<'_> {
    /// How much to think: OpenAI's own parameter wins.
    pub(super) fn reasoning(&self, thinking: Option<Thinking>) -> Reasoning {
        let options = self.reasoning.unwrap_or_default();
        let own = self.reasoning_effort.or(self.camel_case_effort);
        let said = own.or(options.effort);
        let tokens = options.max_tokens.filter(|_| said.is_none());
        let budget = tokens.filter(|tokens| *tokens > 0);
        let thinks = options.enabled.or(self.enable_thinking).or_else(|| {
            let template = self.chat_template_kwargs?;
            template.thinks()
        });
        Reasoning {
            effort: said.or(tokens.map(effort_for)).or(thinks.map(effort_of)),
            thinking: thinking.or(budget.map(|tokens| Thinking {
                mode: ThinkingMode::Enabled,
                budget_tokens: Some(tokens),
                display: None,
                // Who names tokens here cannot know what Claude makes a fault of.
                is_hint: true,
            })),
        }
    }

    /// Whether the client wants to see what the model thought.
    pub(super) fn shows_reasoning(&self) -> bool {
        let is_excluded = self.reasoning.and_then(|options| options.exclude);
        self.include_reasoning != Some(false) && is_excluded != Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Box<ChatRequest<'static>> {
        let user = r#"{"role":"user","content":"x"}"#;
        let body = format!(r#"{{"model":"m","messages":[{user}],{fields}}}"#);
        ChatRequest::parse(body.leak().as_bytes()).unwrap()
    }

    #[test]
    fn how_much_to_think_may_be_said_in_many_words() {
        use Effort::{High, Low, Medium};
        for (fields, effort, budget) in [
            (r#""reasoning":{"effort":"low"}"#, Some(Low), None),
            (r#""reasoning":{"enabled":true}"#, Some(Medium), None),
            (r#""reasoning":{"enabled":false}"#, Some(Effort::None), None),
            (
                r#""reasoning":{"max_tokens":9000.0}"#,
                Some(High),
                Some(9_000),
            ),
            (r#""reasoning":{"max_tokens":0}"#, Some(Effort::None), None),
            (
                r#""reasoning":{"max_tokens":9000,"effort":"low"}"#,
                Some(Low),
                None,
            ),
            (
                r#""reasoning":{"effort":"high","summary":"auto"},"reasoning_effort":"low""#,
                Some(Low),
                None,
            ),
            (r#""reasoning":{"exclude":true}"#, None, None),
            (r#""reasoningEffort":"high""#, Some(High), None),
            (r#""enable_thinking":true"#, Some(Medium), None),
            (
                r#""chat_template_kwargs":{"thinking":false,"x":1}"#,
                Some(Effort::None),
                None,
            ),
            (r#""chat_template_kwargs":{"x":1}"#, None, None),
        ] {
            let read = read(fields).reasoning(None);
            let thinking = read.thinking.map(|own| (own.budget_tokens, own.is_hint));
            assert_eq!(read.effort, effort, "{fields}");
            assert_eq!(thinking, budget.map(|own| (Some(own), true)), "{fields}");
        }
    }

    #[test]
    fn what_was_thought_is_shown_unless_that_is_not_wanted() {
        for (fields, shows) in [
            (r#""seed":1"#, true),
            (r#""include_reasoning":true,"reasoning":{}"#, true),
            (r#""include_reasoning":false"#, false),
            (r#""reasoning":{"exclude":true}"#, false),
        ] {
            assert_eq!(read(fields).shows_reasoning(), shows, "{fields}");
        }
    }
}
