//! How much Claude is told to think; the rules differ from generation to generation.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>

use super::betas;
use super::body::Thinking;
use crate::bedrock::Target;
use crate::bedrock::shared::conversation::{BlockContent, Conversation, Speaker, Turn};
use crate::bedrock::shared::tools::Tools;
use crate::catalog::{self, MIN_BUDGET, Model, budget};
use crate::chat::{
    Effort, EffortScope, Error, Param, Reasoning, Request, Thinking as Wish, ThinkingMode, Thoughts,
};

/// How thoughts are shown that are shown at all.
const SUMMARIZED: &str = "summarized";

/// What Claude is told about thinking for a request.
#[derive(Debug, Default, PartialEq)]
pub(in crate::bedrock) struct Plan {
    /// The `thinking` object.
    pub(in crate::bedrock) thinking: Option<Thinking>,
    /// The effort in `output_config`.
    pub(in crate::bedrock) effort: Option<Effort>,
    /// What the request asks for and the model is not told.
    pub(in crate::bedrock) left_out: Vec<Param>,
}

impl Plan {
    /// Whether the model will think because it was told to.
    pub(in crate::bedrock) fn is_on(&self) -> bool {
        matches!(
            self.thinking,
            Some(Thinking::Enabled { .. } | Thinking::Adaptive { .. })
        )
    }

    /// Tokens that the model may think, if it was told a number.
    pub(super) fn budget(&self) -> u32 {
        match self.thinking {
            Some(Thinking::Enabled { budget_tokens, .. }) => budget_tokens,
            _ => 0,
        }
    }

    fn on(thinking: Thinking, effort: Option<Effort>) -> Self {
        Self {
            thinking: Some(thinking),
            effort,
            left_out: Vec::new(),
        }
    }

    fn off() -> Self {
        Self::on(Thinking::Disabled, None)
    }

    /// The beta that its effort needs: that of a model which is told to think by a budget.
    pub(in crate::bedrock) fn needed_beta(&self, target: &Target<'_>) -> Option<&'static str> {
        let is_new = target
            .model
            .is_some_and(|model| model.thinking == catalog::Thinking::Budget);
        (self.effort.is_some() && is_new).then_some(betas::EFFORT)
    }

    /// An effort that is about the whole answer is told whether the model thinks or not.
    fn take_effort(&mut self, reasoning: &Reasoning, target: &Target<'_>) {
        if reasoning.effort_scope == EffortScope::Answer {
            let own = reasoning.effort.and_then(|wanted| effort(wanted, target));
            // The highest efforts make no sense without thinking.
            let is_off = self.thinking == Some(Thinking::Disabled);
            self.effort = own.map(|own| if is_off { own.min(Effort::High) } else { own });
        }
    }

    /// Asks for the thoughts that the client wants to see, where the model shows none unasked.
    fn show_thoughts(&mut self, wanted: Thoughts, model: &Model, tools: &Tools<'_>) {
        let thinks_anyway = model.thinks && !tools.is_forced();
        if !model.thinking.omits_thoughts() || wanted == Thoughts::AsTheyCome {
            return;
        }
        if self.thinking.is_none() && wanted == Thoughts::All && thinks_anyway {
            self.thinking = Some(Thinking::Adaptive { display: None });
        }
        if let Some(Thinking::Adaptive { display }) = &mut self.thinking {
            display.get_or_insert_with(|| SUMMARIZED.to_owned());
        }
    }

    fn lost(&self, reasoning: &Reasoning, rule: Option<catalog::Thinking>) -> Vec<Param> {
        let is_told = |param: &Param| match param {
            Param::Effort if reasoning.effort_scope == EffortScope::Answer => self.effort.is_some(),
            _ => self.is_on(),
        };
        let lost = reasoning.wishes().filter(|param| !is_told(param));
        let is_off = reasoning.in_a_word() == Some(Effort::None);
        let cannot_stop = rule == Some(catalog::Thinking::Always) && is_off;
        lost.chain(cannot_stop.then_some(match reasoning.thinking {
            Some(_) => Param::Thinking,
            None => Param::Effort,
        }))
        .collect()
    }
}

/// Decides by `thinking`, or else by an effort, and by whether a tool must be called.
///
/// # Errors
///
/// A 400 for a `thinking` that the model cannot be given.
pub(in crate::bedrock) fn plan(
    request: &Request<'_>,
    target: &Target<'_>,
    conversation: &Conversation<'_>,
    tools: &Tools<'_>,
) -> Result<Plan, Error> {
    let reasoning = &request.reasoning;
    let rule = target.model.map(|model| model.thinking);
    let mut plan = wanted(request, target)?;
    if plan.is_on() && tools.is_forced() {
        let wish = reasoning.thinking.as_ref();
        if wish.is_some_and(|wish| !wish.is_hint) {
            let message = "Claude cannot think when 'tool_choice' or 'response_format' forces it \
                           to call a tool; remove one of them.";
            return Err(Error::unsupported(Param::Thinking, message));
        }
        // An effort is a hint; that a tool must be called is not.
        plan = Plan::default();
    }
    let budgeted = matches!(plan.thinking, Some(Thinking::Enabled { .. }));
    if budgeted && (conversation.ends_with_assistant() || lacks_thoughts(conversation)) {
        plan = Plan::default();
    }
    plan.take_effort(reasoning, target);
    if let Some(model) = target.model {
        plan.show_thoughts(reasoning.thoughts, model, tools);
    }
    plan.left_out = plan.lost(reasoning, rule);
    Ok(plan)
}

/// What the request asks for, whether the conversation allows it or not.
fn wanted(request: &Request<'_>, target: &Target<'_>) -> Result<Plan, Error> {
    let reasoning = &request.reasoning;
    let by_effort = || match (reasoning.effort_scope, reasoning.effort) {
        (EffortScope::Thinking, Some(effort)) => by_effort(effort, request, target),
        _ => Plan::default(),
    };
    match &reasoning.thinking {
        // Whoever writes Anthropic's own words for a model that nobody here knows, knows it better.
        Some(wish) if target.model.is_none() && reasoning.effort_scope == EffortScope::Answer => {
            Ok(verbatim(wish))
        }
        Some(wish) => match explicit(wish, request, target) {
            Err(_) if wish.is_hint => Ok(by_effort()),
            plan => plan,
        },
        None => Ok(by_effort()),
    }
}

fn verbatim(wish: &Wish) -> Plan {
    let display = wish.display.clone();
    let thinking = match wish.mode {
        ThinkingMode::Disabled => return Plan::off(),
        ThinkingMode::Adaptive => Thinking::Adaptive { display },
        ThinkingMode::Enabled => Thinking::Enabled {
            budget_tokens: wish.budget_tokens.unwrap_or(MIN_BUDGET),
            display,
        },
    };
    Plan::on(thinking, None)
}

/// The effort that the model takes for a wanted one. What nobody knows takes what its clients say.
fn effort(wanted: Effort, target: &Target<'_>) -> Option<Effort> {
    match target.model {
        Some(model) => model.effort(wanted),
        None => Some(wanted),
    }
}

/// Translates the client's object for the model's generation.
fn explicit(wish: &Wish, request: &Request<'_>, target: &Target<'_>) -> Result<Plan, Error> {
    use catalog::Thinking as Rule;
    let display = wish.display.clone();
    match (rule(target), wish.mode) {
        (Rule::Always, ThinkingMode::Disabled) | (Rule::Budget, ThinkingMode::Disabled) => {
            Ok(Plan::default())
        }
        (Rule::AdaptiveOrBudget | Rule::Adaptive, ThinkingMode::Disabled) => Ok(Plan::off()),
        (_, ThinkingMode::Disabled) => Ok(Plan::default()),
        (Rule::Budget | Rule::AdaptiveOrBudget, ThinkingMode::Enabled) => {
            let budget_tokens = wish.budget_tokens.unwrap_or(MIN_BUDGET).max(MIN_BUDGET);
            if request.max_output.is_some_and(|max| max <= budget_tokens) {
                let message = "'max_tokens' must be greater than 'thinking.budget_tokens'.";
                return Err(Error::invalid(Param::MaxOutput, message));
            }
            if limit(request, target) <= budget_tokens {
                let message =
                    "'thinking.budget_tokens' must be less than the model's longest answer.";
                return Err(Error::invalid(Param::Thinking, message));
            }
            let thinking = Thinking::Enabled {
                budget_tokens,
                display,
            };
            Ok(Plan::on(thinking, None))
        }
        (Rule::Budget, ThinkingMode::Adaptive) => {
            let effort = request.reasoning.effort.unwrap_or(Effort::High);
            Ok(
                room(effort, request, target).map_or_else(Plan::default, |budget_tokens| {
                    let thinking = Thinking::Enabled {
                        budget_tokens,
                        display,
                    };
                    Plan::on(thinking, None)
                }),
            )
        }
        (Rule::AdaptiveOrBudget | Rule::Adaptive | Rule::Always, mode) => {
            // The newer models refuse a budget and decide for themselves.
            let wanted = request.reasoning.effort;
            let wanted = wanted.filter(|_| mode == ThinkingMode::Adaptive);
            let own = wanted.and_then(|wanted| effort(wanted, target));
            Ok(Plan::on(Thinking::Adaptive { display }, own))
        }
        _ => Ok(Plan::default()),
    }
}

/// Translates an effort; models that cannot think ignore it.
fn by_effort(wanted: Effort, request: &Request<'_>, target: &Target<'_>) -> Plan {
    use catalog::Thinking as Rule;
    match (rule(target), wanted) {
        (Rule::AdaptiveOrBudget | Rule::Adaptive, Effort::None) => Plan::off(),
        (_, Effort::None) => Plan::default(),
        (Rule::Budget, wanted) => {
            room(wanted, request, target).map_or_else(Plan::default, |budget| {
                let thinking = Thinking::Enabled {
                    budget_tokens: budget,
                    display: None,
                };
                Plan::on(thinking, None)
            })
        }
        (Rule::AdaptiveOrBudget | Rule::Adaptive | Rule::Always, _) => {
            Plan::on(Thinking::Adaptive { display: None }, effort(wanted, target))
        }
        _ => Plan::default(),
    }
}

fn rule(target: &Target<'_>) -> catalog::Thinking {
    target
        .model
        .map_or(catalog::Thinking::None, |model| model.thinking)
}

/// Most tokens that thinking and answer can have together.
fn limit(request: &Request<'_>, target: &Target<'_>) -> u32 {
    let own = target.model.and_then(|model| model.max_output);
    let wanted = request.max_output.unwrap_or(u32::MAX);
    wanted.min(own.unwrap_or(u32::MAX))
}

/// A budget for an effort; `None` when the request leaves no room for one.
fn room(effort: Effort, request: &Request<'_>, target: &Target<'_>) -> Option<u32> {
    let own = target.model.and_then(|model| model.max_output);
    catalog::room(budget(effort), request.max_output, own)
}

/// Whether the last turn of calls came without its thoughts: Claude then refuses to continue thinking, and most
/// clients do not send thoughts back.
fn lacks_thoughts(conversation: &Conversation<'_>) -> bool {
    let last = conversation
        .turns
        .iter()
        .rev()
        .find(|turn| turn.speaker == Speaker::Assistant);
    let has = |turn: &Turn<'_>, wanted: fn(&BlockContent<'_>) -> bool| {
        turn.blocks.iter().any(|block| wanted(&block.content))
    };
    last.is_some_and(|turn| {
        has(turn, |content| matches!(content, BlockContent::ToolUse(_)))
            && !has(turn, |content| {
                matches!(
                    content,
                    BlockContent::Thinking { .. } | BlockContent::RedactedThinking { .. }
                )
            })
    })
}
