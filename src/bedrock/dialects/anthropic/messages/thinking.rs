//! How much Claude is told to think; the rules differ from generation to generation.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>

use super::body::Thinking;
use crate::bedrock::Target;
use crate::bedrock::shared::conversation::{BlockContent, Conversation, Speaker, Turn};
use crate::catalog;
use crate::chat::{Effort, Error, Param, Request, Thinking as Wish, ThinkingMode};

/// Smallest budget that Claude takes, in tokens.
const MIN_BUDGET: u32 = 1_024;

/// What a request makes of Claude's thinking.
#[derive(Debug, Default, PartialEq)]
pub(in crate::bedrock) struct Plan {
    /// The `thinking` object.
    pub(in crate::bedrock) thinking: Option<Thinking>,
    /// The effort in `output_config`.
    pub(in crate::bedrock) effort: Option<Effort>,
}

impl Plan {
    /// Whether the model will think because it was told to.
    pub(in crate::bedrock) fn is_on(&self) -> bool {
        matches!(
            self.thinking,
            Some(Thinking::Enabled { .. } | Thinking::Adaptive { .. })
        )
    }

    /// Tokens that the model may think, if it was told how many.
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
        }
    }
}

/// Decides from `thinking`, else from `reasoning_effort`; `forced` when a tool must be called.
///
/// # Errors
///
/// A 400 for a `thinking` that the model cannot be given.
pub(in crate::bedrock) fn plan(
    request: &Request<'_>,
    target: &Target<'_>,
    conversation: &Conversation<'_>,
    forced: bool,
) -> Result<Plan, Error> {
    let rule = target
        .model
        .map_or(catalog::Thinking::None, |model| model.thinking);
    let plan = match (&request.reasoning.thinking, request.reasoning.effort) {
        (Some(wish), effort) => match explicit(wish, rule, request, target) {
            Err(_) if wish.is_hint => effort.map_or_else(Plan::default, |effort| {
                by_effort(effort, rule, request, target)
            }),
            plan => plan?,
        },
        (None, Some(effort)) => by_effort(effort, rule, request, target),
        (None, None) => Plan::default(),
    };
    if !plan.is_on() {
        return Ok(plan);
    }
    if forced {
        let wish = request.reasoning.thinking.as_ref();
        if wish.is_some_and(|wish| !wish.is_hint) {
            let message = "Claude does not think when 'tool_choice' or 'response_format' makes it \
                           call a tool; remove one of them.";
            return Err(Error::unsupported(Param::Thinking, message));
        }
        // An effort is a hint, a tool that must be called is not.
        return Ok(Plan::default());
    }
    let budgeted = matches!(plan.thinking, Some(Thinking::Enabled { .. }));
    let broken = budgeted && (conversation.ends_with_assistant() || lacks_thoughts(conversation));
    Ok(if broken { Plan::default() } else { plan })
}

/// Translates the client's object to what the model's generation knows.
fn explicit(
    wish: &Wish,
    rule: catalog::Thinking,
    request: &Request<'_>,
    target: &Target<'_>,
) -> Result<Plan, Error> {
    use catalog::Thinking as Rule;
    let display = wish.display.clone();
    match (rule, wish.mode) {
        (Rule::Always, ThinkingMode::Disabled) | (Rule::Budget, ThinkingMode::Disabled) => {
            Ok(Plan::default())
        }
        (Rule::AdaptiveOrBudget | Rule::Adaptive, ThinkingMode::Disabled) => Ok(Plan {
            thinking: Some(Thinking::Disabled),
            effort: None,
        }),
        (_, ThinkingMode::Disabled) => Ok(Plan::default()),
        (Rule::Budget | Rule::AdaptiveOrBudget, ThinkingMode::Enabled) => {
            let budget_tokens = wish.budget_tokens.unwrap_or(MIN_BUDGET).max(MIN_BUDGET);
            if request.max_output.is_some_and(|max| max <= budget_tokens) {
                let message = "'max_tokens' must be greater than 'thinking.budget_tokens'.";
                return Err(Error::invalid(Param::MaxOutput, message));
            }
            if limit(request, target) <= budget_tokens {
                let message = "'thinking.budget_tokens' must be less than the longest answer of \
                               the model.";
                return Err(Error::invalid(Param::Thinking, message));
            }
            let thinking = Thinking::Enabled {
                budget_tokens,
                display,
            };
            Ok(Plan::on(thinking, None))
        }
        (Rule::Budget, ThinkingMode::Adaptive) => Ok(Plan::on(
            Thinking::Enabled {
                budget_tokens: room(budget(Effort::High), request, target).unwrap_or(MIN_BUDGET),
                display,
            },
            None,
        )),
        // The newer models refuse a budget and decide themselves.
        (Rule::AdaptiveOrBudget | Rule::Adaptive | Rule::Always, _) => {
            Ok(Plan::on(Thinking::Adaptive { display }, None))
        }
        _ => {
            let message = format!("The model `{}` does not think.", &*request.model);
            Err(Error::unsupported(Param::Thinking, message))
        }
    }
}

/// Translates an effort; models that cannot think take no notice of it.
fn by_effort(
    effort: Effort,
    rule: catalog::Thinking,
    request: &Request<'_>,
    target: &Target<'_>,
) -> Plan {
    use catalog::Thinking as Rule;
    let own = target.model.and_then(|model| model.effort(effort));
    match (rule, effort) {
        (Rule::AdaptiveOrBudget | Rule::Adaptive, Effort::None) => Plan {
            thinking: Some(Thinking::Disabled),
            effort: None,
        },
        (_, Effort::None) => Plan::default(),
        (Rule::Budget, effort) => {
            room(budget(effort), request, target).map_or_else(Plan::default, |budget| {
                let thinking = Thinking::Enabled {
                    budget_tokens: budget,
                    display: None,
                };
                Plan::on(thinking, None)
            })
        }
        (Rule::AdaptiveOrBudget | Rule::Adaptive | Rule::Always, _) => {
            Plan::on(Thinking::Adaptive { display: None }, own)
        }
        _ => Plan::default(),
    }
}

/// Tokens of thinking for an effort.
fn budget(effort: Effort) -> u32 {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => MIN_BUDGET,
        Effort::Medium => 2_048,
        Effort::High => 4_096,
        Effort::Xhigh => 8_192,
        Effort::Max => 16_384,
    }
}

/// Most tokens that thinking and answer have together.
fn limit(request: &Request<'_>, target: &Target<'_>) -> u32 {
    let own = target.model.and_then(|model| model.max_output);
    let wanted = request.max_output.unwrap_or(u32::MAX);
    wanted.min(own.unwrap_or(u32::MAX))
}

/// A budget that leaves half of the limit for the answer; `None` when that is too small.
fn room(budget: u32, request: &Request<'_>, target: &Target<'_>) -> Option<u32> {
    let most = limit(request, target) / 2;
    (most >= MIN_BUDGET).then_some(budget.min(most))
}

/// Whether the last turn of calls came without its thoughts: Claude refuses to go on thinking then,
/// and most clients do not send thoughts back.
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
