//! How much a request asks the model to think, in whichever way it says so.

use super::request::ChatRequest;
use crate::chat::{Effort, EffortScope, Reasoning, Thinking, ThinkingMode, Thoughts};

impl ChatRequest<'_> {
    /// How much to think: OpenAI's own parameter wins.
    pub(super) fn reasoning(&self, thinking: Option<Thinking>) -> Reasoning {
        let options = self.reasoning.unwrap_or_default();
        let own = self.reasoning_effort.or(self.camel_case_effort);
        let effort = own.or(options.effort);
        let tokens = options.max_tokens.filter(|_| effort.is_none());
        let budget = tokens.filter(|tokens| *tokens > 0);
        let thinks = options.enabled.or(self.enable_thinking).or_else(|| {
            let template = self.chat_template_kwargs?;
            template.thinks()
        });
        // As at OpenRouter, for a request that says no more than whether the model is to think.
        let unsaid = match thinks {
            Some(true) => Some(Effort::Medium),
            Some(false) => Some(Effort::None),
            None => None,
        };
        Reasoning {
            effort: effort.or(tokens.map(Effort::of_budget)).or(unsaid),
            effort_scope: EffortScope::Thinking,
            thinking: thinking.or(budget.map(|tokens| Thinking {
                mode: ThinkingMode::Enabled,
                budget_tokens: Some(tokens),
                display: None,
                // A client that names tokens here cannot know what Claude refuses.
                is_hint: true,
            })),
            thoughts: self.thoughts(),
        }
    }

    fn thoughts(&self) -> Thoughts {
        match self.include_reasoning {
            _ if !self.shows_reasoning() => Thoughts::AsTheyCome,
            Some(true) => Thoughts::All,
            _ => Thoughts::IfAsked,
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
