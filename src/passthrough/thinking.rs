//! Adapts `thinking` to the model: clients use the newest form for every model that they do not know.

use super::facts::Facts;
use crate::catalog::{MIN_BUDGET, Sampling, Thinking as Rule, budget, room};
use crate::chat::{Effort, Error, Request, Thinking, ThinkingMode};
use crate::protocol::anthropic_messages::{Asked, Object, Role};

/// What becomes of the request's thinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thought {
    /// It is passed on unchanged.
    Same,
    /// It is left out.
    Dropped,
    /// As much as the model sees fit.
    Adaptive,
    /// Within so many tokens.
    Budget(u32),
}

/// What becomes of thinking, effort and sampling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) thought: Thought,
    /// The effort that the model is told, if any.
    pub(super) effort: Option<Effort>,
    /// Whether the request turns thinking on.
    pub(super) is_on: bool,
    /// The budget of thinking in tokens, or 0 without one.
    pub(super) budget: u32,
    facts: Facts,
}

impl Plan {
    /// Decides.
    ///
    /// # Errors
    ///
    /// A 400 for thinking that the model cannot be given, in the words of Anthropic's own API.
    pub(super) fn of(asked: &Asked<'_>, head: &Request<'_>, facts: Facts) -> Result<Self, Error> {
        let wanted = head.reasoning.effort.and_then(|own| facts.effort(own));
        let mut plan = Self {
            thought: Thought::Same,
            effort: wanted,
            is_on: false,
            budget: 0,
            facts,
        };
        let Some(wish) = &head.reasoning.thinking else {
            return Ok(plan);
        };
        (plan.thought, plan.is_on) = thought(wish, head, facts);
        plan.budget = match plan.thought {
            Thought::Budget(tokens) => tokens,
            Thought::Same if wish.mode == ThinkingMode::Enabled => wish.budget_tokens.unwrap_or(0),
            _ => 0,
        };
        if plan.budget > 0 {
            plan.check_budget(asked, head)?;
        }
        if plan.is_on && head.tool_choice.is_forced() {
            if wish.mode == ThinkingMode::Enabled {
                let message = "Thinking may not be enabled when tool_choice forces tool use.";
                return Err(Error::unsupported("thinking", message));
            }
            plan.drop_thought();
        }
        if plan.thought == Thought::Same && wish.mode == ThinkingMode::Disabled {
            // The highest efforts make no sense without thinking.
            plan.effort = plan.effort.map(|own| own.min(Effort::High));
        }
        Ok(plan)
    }

    fn check_budget(&mut self, asked: &Asked<'_>, head: &Request<'_>) -> Result<(), Error> {
        if lacks_thoughts(asked) || ends_with_assistant(asked) {
            self.drop_thought();
            return Ok(());
        }
        if head.max_output.is_some_and(|most| most <= self.budget) {
            let message = "`max_tokens` must be greater than `thinking.budget_tokens`.";
            return Err(Error::invalid("max_tokens", message));
        }
        if self
            .facts
            .max_output()
            .is_some_and(|most| most <= self.budget)
        {
            let message = "must be less than the model's longest answer";
            return Err(Error::invalid("thinking.budget_tokens", message));
        }
        Ok(())
    }

    fn drop_thought(&mut self) {
        self.thought = Thought::Dropped;
        self.is_on = false;
        self.budget = 0;
    }

    /// Whether a sampling parameter is passed on.
    pub(super) fn samples(&self, name: &str, head: &Request<'_>) -> bool {
        match self.facts.sampling() {
            Sampling::None => false,
            _ if self.is_on => false,
            Sampling::Either => name != "top_p" || head.sampling.temperature.is_none(),
            Sampling::Any => true,
        }
    }
}

fn thought(wish: &Thinking, head: &Request<'_>, facts: Facts) -> (Thought, bool) {
    let Some(rule) = facts.thinking() else {
        return (Thought::Same, wish.mode != ThinkingMode::Disabled);
    };
    match (rule, wish.mode) {
        (Rule::Always, ThinkingMode::Disabled) => (Thought::Dropped, false),
        (Rule::Budget | Rule::AdaptiveOrBudget | Rule::Adaptive, ThinkingMode::Disabled) => {
            (Thought::Same, false)
        }
        (Rule::Budget | Rule::AdaptiveOrBudget, ThinkingMode::Enabled) => {
            match wish.budget_tokens {
                Some(tokens) if tokens < MIN_BUDGET => (Thought::Budget(MIN_BUDGET), true),
                _ => (Thought::Same, true),
            }
        }
        (Rule::Budget, ThinkingMode::Adaptive) => {
            let effort = head.reasoning.effort.unwrap_or(Effort::High);
            match room(budget(effort), head.max_output, facts.max_output()) {
                Some(tokens) => (Thought::Budget(tokens), true),
                None => (Thought::Dropped, false),
            }
        }
        (Rule::AdaptiveOrBudget | Rule::Adaptive | Rule::Always, ThinkingMode::Adaptive) => {
            (Thought::Same, true)
        }
        // The newer models refuse a budget and decide themselves.
        (Rule::Adaptive | Rule::Always, ThinkingMode::Enabled) => (Thought::Adaptive, true),
        _ => (Thought::Dropped, false),
    }
}

fn ends_with_assistant(asked: &Asked<'_>) -> bool {
    let last = asked.messages.1.last();
    last.is_some_and(|last| last.role == Role::Assistant)
}

/// Whether the last turn of calls came without its thoughts: within a budget the model refuses to go on then, and
/// another model may have made those calls.
fn lacks_thoughts(asked: &Asked<'_>) -> bool {
    let mut turns = asked.messages.1.iter().rev();
    let last = turns.find(|message| message.role == Role::Assistant);
    last.is_some_and(|turn| {
        let blocks = turn.content.blocks();
        let calls = blocks.iter().any(|own| own.kind() == "tool_use");
        calls && !blocks.iter().any(is_proven)
    })
}

fn is_proven(block: &Object<'_>) -> bool {
    let has = |name| block.text(name).is_some_and(|own| !own.is_empty());
    match block.kind() {
        "thinking" => has("signature"),
        "redacted_thinking" => has("data"),
        _ => false,
    }
}
