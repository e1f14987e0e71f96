//! Parameters for which Converse has no field: they go to the model unchanged.

use serde::Serialize;

use super::family::{TopK, Traits};
use crate::bedrock::Target;
use crate::bedrock::dialects::anthropic::messages::{Plan, Thinking, plan};
use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::tools::{Choice, Tools};
use crate::catalog::{self, Model};
use crate::chat::{Effort, Error, Param, Request};

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

/// The part of Claude's own `tool_choice` that Converse lacks; the type only if Converse has no choice.
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

/// How the model reasons, in the form that it takes.
#[derive(Debug, Default)]
pub(super) struct Reasoning {
    /// For Claude.
    pub(super) plan: Plan,
    /// For Nova.
    config: Option<ReasoningConfig>,
    /// For open models.
    effort: Option<Effort>,
    /// For GPT.
    nested: Option<Effort>,
    /// What the request asks for and the model is not told.
    pub(super) left_out: Vec<Param>,
}

impl Extras {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Everything except what the sampling rules may drop.
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

    /// Puts `top_k` where the model has it, if anywhere.
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
    /// Reads `thinking`, or else an effort.
    ///
    /// # Errors
    ///
    /// A 400 for a `thinking` that a Claude cannot be given.
    pub(super) fn of(
        request: &Request<'_>,
        (target, traits): (&Target<'_>, &Traits),
        conversation: &Conversation<'_>,
        tools: &Tools<'_>,
    ) -> Result<Self, Error> {
        use catalog::Thinking as Rule;
        let none = Self::default();
        let wanted = request.reasoning.in_a_word();
        let effort = || wanted.and_then(|wanted| target.model?.effort(wanted));
        Ok(match target.model.map(Model::thinking_on_converse) {
            Some(Rule::ReasoningConfig) => Self {
                config: wanted.map(|effort| config(effort, request)),
                ..none
            },
            Some(Rule::Effort) => Self {
                effort: effort(),
                ..none
            },
            Some(Rule::NestedEffort) => Self {
                nested: effort(),
                ..none
            },
            _ if traits.claude => {
                let mut plan = plan(request, target, conversation, tools)?;
                Self {
                    left_out: std::mem::take(&mut plan.left_out),
                    plan,
                    ..none
                }
            }
            _ => Self {
                left_out: request.reasoning.wishes().collect(),
                ..none
            },
        })
    }

    /// Whether the model refuses sampling parameters, or an answer limit, while it reasons like this.
    pub(super) fn is_at_its_highest(&self) -> bool {
        let highest = ReasoningConfig::Enabled {
            effort: Effort::High,
        };
        self.config.as_ref() == Some(&highest)
    }
}

/// Nova refuses its highest effort together with an answer limit; a limit outweighs a hint.
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
