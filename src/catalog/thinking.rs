//! How models are told to think, and how much.

use serde::Deserialize;

use crate::chat::Effort;

/// Smallest budget of thinking that a model takes, in tokens.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>
pub const MIN_BUDGET: u32 = 1_024;

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// It cannot be told.
    None,
    /// With a budget of tokens.
    Budget,
    /// As much as it sees fit, or with a budget.
    AdaptiveOrBudget,
    /// As much as it sees fit, within an effort.
    Adaptive,
    /// Like `Adaptive`, and it cannot be turned off.
    Always,
    /// With an effort, in an object called `reasoningConfig`.
    ReasoningConfig,
    /// With OpenAI's own `reasoning_effort`.
    Effort,
    /// With OpenAI's own effort, as `reasoning.effort` on Converse.
    NestedEffort,
}

impl Thinking {
    /// Whether the model proves what it thought, as Claude does.
    #[must_use]
    pub fn is_proved(self) -> bool {
        matches!(
            self,
            Self::Budget | Self::AdaptiveOrBudget | Self::Adaptive | Self::Always
        )
    }

    /// Whether the model shows its thoughts only where it is asked to, as Claude from 4.7 on.
    #[must_use]
    pub fn omits_thoughts(self) -> bool {
        matches!(self, Self::Adaptive | Self::Always)
    }
}

/// Tokens of thinking for an effort, for models that take a budget.
#[must_use]
pub const fn budget(effort: Effort) -> u32 {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => MIN_BUDGET,
        Effort::Medium => 2_048,
        Effort::High => 4_096,
        Effort::Xhigh => 8_192,
        Effort::Max => 16_384,
    }
}

/// A budget that leaves half of the tokens for the answer: of those that the request asks for, as far as the model
/// has them. `None` when that is too small.
#[must_use]
pub fn room(budget: u32, wanted: Option<u32>, max_output: Option<u32>) -> Option<u32> {
    let longest = wanted
        .unwrap_or(u32::MAX)
        .min(max_output.unwrap_or(u32::MAX));
    let most = longest / 2;
    (most >= MIN_BUDGET).then_some(budget.min(most))
}
