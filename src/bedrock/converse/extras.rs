//! Parameters that Converse has no field for: they go to the model as they are.

use serde::Serialize;

use super::family::{TopK, Traits};
use crate::bedrock::Target;
use crate::bedrock::dialects::anthropic::messages::{Plan, Thinking, plan};
use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::tools::{Choice, Tools};
use crate::catalog;
use crate::chat::{Effort, Error, Request, Thinking as Wish, ThinkingMode};

/// Largest `topK` of Nova.
const MAX_TOP_K: u32 = 128;

/// Largest `k` of Cohere.
const MAX_K: u32 = 500;

/// `additionalModelRequestFields`.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Extras {
    /// Claude.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) anthropic_beta: Vec<&'static str>,
    /// Claude and others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<u32>,
    /// Cohere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) k: Option<u32>,
    /// Nova.
    #[serde(rename = "inferenceConfig", skip_serializing_if = "Option::is_none")]
    pub(super) inference_config: Option<InferenceExtras>,
    /// Claude.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<Thinking>,
    /// Claude.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_config: Option<NestedEffort>,
    /// Claude.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<OneToolAtATime>,
    /// Nova 2.
    #[serde(rename = "reasoningConfig", skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_config: Option<ReasoningConfig>,
    /// Open models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<Effort>,
    /// GPT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning: Option<NestedEffort>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct InferenceExtras {
    #[serde(rename = "topK")]
    pub(super) top_k: u32,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct NestedEffort {
    pub(super) effort: Effort,
}

/// What of Claude's own `tool_choice` Converse lacks; the type only where Converse has no choice.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct OneToolAtATime {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    disable_parallel_tool_use: bool,
}

/// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ReasoningConfig {
    Enabled {
        #[serde(rename = "maxReasoningEffort")]
        effort: Effort,
    },
    Disabled,
}

/// How the model reasons, in whichever words it takes.
#[derive(Debug, Default)]
pub(super) struct Reasoning {
    /// Claude's.
    pub(super) plan: Plan,
    /// Nova's.
    config: Option<ReasoningConfig>,
    /// Of open models.
    effort: Option<Effort>,
    /// GPT's.
    nested: Option<Effort>,
}

impl Extras {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Everything but what the sampling rules may drop.
    pub(super) fn of(reasoning: Reasoning, tools: &Tools<'_>, traits: &Traits) -> Self {
        let effort = |effort: Option<Effort>| effort.map(|effort| NestedEffort { effort });
        Self {
            thinking: reasoning.plan.thinking,
            output_config: effort(reasoning.plan.effort),
            tool_choice: one_tool_at_a_time(tools, traits),
            reasoning_config: reasoning.config,
            reasoning_effort: reasoning.effort,
            reasoning: effort(reasoning.nested),
            ..Self::default()
        }
    }

    /// Puts `top_k` where the model has it, if it does.
    pub(super) fn set_top_k(&mut self, top_k: Option<u32>, traits: &Traits) {
        match traits.top_k {
            TopK::None => {}
            TopK::Plain => self.top_k = top_k,
            TopK::UpTo(most) => self.top_k = top_k.map(|top_k| top_k.min(most)),
            TopK::K => self.k = top_k.map(|top_k| top_k.min(MAX_K)),
            TopK::Inference => {
                self.inference_config = top_k.map(|top_k| InferenceExtras {
                    top_k: top_k.min(MAX_TOP_K),
                });
            }
        }
    }
}

impl Reasoning {
    /// Reads `thinking`, else `reasoning_effort`.
    ///
    /// # Errors
    ///
    /// A 400 for a `thinking` that the model cannot be given.
    pub(super) fn of(
        request: &Request<'_>,
        target: &Target<'_>,
        conversation: &Conversation<'_>,
        tools: &Tools<'_>,
    ) -> Result<Self, Error> {
        use catalog::Thinking as Rule;
        let none = Self::default();
        let (rule, model) = match target.model {
            Some(model) => (model.thinking_on_converse(), model),
            None => {
                let plan = plan(request, target, conversation, tools.is_forced())?;
                return Ok(Self { plan, ..none });
            }
        };
        let thinking = request.reasoning.thinking.as_ref();
        let wanted = || thinking.map_or(request.reasoning.effort, effort_of);
        Ok(match rule {
            Rule::ReasoningConfig => Self {
                config: wanted().map(|effort| config(effort, request)),
                ..none
            },
            Rule::Effort => Self {
                effort: wanted().and_then(|effort| model.effort(effort)),
                ..none
            },
            Rule::NestedEffort => Self {
                nested: wanted().and_then(|effort| model.effort(effort)),
                ..none
            },
            _ => Self {
                plan: plan(request, target, conversation, tools.is_forced())?,
                ..none
            },
        })
    }

    /// Whether the model refuses sampling parameters, or an answer limit, while it reasons so.
    pub(super) fn is_at_its_highest(&self) -> bool {
        let highest = ReasoningConfig::Enabled {
            effort: Effort::High,
        };
        self.config.as_ref() == Some(&highest)
    }
}

/// Nova refuses its highest effort together with an answer limit; a limit is more than a hint.
fn config(effort: Effort, request: &Request<'_>) -> ReasoningConfig {
    let effort = match effort {
        Effort::None => return ReasoningConfig::Disabled,
        Effort::Minimal | Effort::Low => Effort::Low,
        Effort::Medium => Effort::Medium,
        _ if request.max_output.is_some() => Effort::Medium,
        _ => Effort::High,
    };
    ReasoningConfig::Enabled { effort }
}

/// An exact wish for models that know efforts only.
fn effort_of(wish: &Wish) -> Option<Effort> {
    match (wish.mode, wish.budget_tokens) {
        (ThinkingMode::Disabled, _) => Some(Effort::None),
        (ThinkingMode::Adaptive, _) => None,
        (ThinkingMode::Enabled, Some(0..=1_024)) => Some(Effort::Low),
        (ThinkingMode::Enabled, None | Some(1_025..=2_048)) => Some(Effort::Medium),
        (ThinkingMode::Enabled, _) => Some(Effort::High),
    }
}

fn one_tool_at_a_time(tools: &Tools<'_>, traits: &Traits) -> Option<OneToolAtATime> {
    let wanted = traits.claude && !tools.parallel && !tools.list.is_empty();
    let kind = match tools.choice {
        Choice::None => return None,
        Choice::Unset | Choice::Auto => Some("auto"),
        Choice::Any | Choice::Tool(_) => None,
    };
    wanted.then_some(OneToolAtATime {
        kind,
        disable_parallel_tool_use: true,
    })
}
