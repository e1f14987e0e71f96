//! A request that cannot go on as it is ([`super::fit`]), in the chat vocabulary. Tools that the model was made for
//! have no other words than Anthropic's, so they keep those.

use super::rules::{Rules, extra};
use super::tools::{Search, definition, goes_on, needed};
use crate::chat::{Error, Request};
use crate::config::{AnthropicRules, Rule};
use crate::protocol::anthropic_messages::Asked;

/// Translates a request for a model that takes Anthropic's Messages.
///
/// # Errors
///
/// A 400 for what Bedrock does not have, or the vocabulary has no word for.
pub fn translate<'a>(
    asked: &Asked<'a>,
    head: &Request<'a>,
    rules: &AnthropicRules,
) -> Result<Request<'a>, Error> {
    let rules = Rules(rules);
    let mut request = asked.translate(head, &|tool, index| {
        // A translated request has no search among tools: all are there from the beginning.
        let goes_on = goes_on(tool, index, rules, Search::None)?;
        Ok(goes_on.then(|| definition(tool)))
    })?;
    for (name, _) in &asked.members {
        match rules.field(name) {
            Rule::Pass => {}
            Rule::Drop => forget(name, &mut request),
            Rule::Refuse => return Err(extra(name)),
        }
    }
    let betas = asked.tools.1.iter().filter_map(needed);
    for beta in betas.filter(|beta| rules.beta(beta) == Rule::Pass) {
        if request.beta_features.iter().all(|own| **own != *beta) {
            request.beta_features.push(beta.into());
        }
    }
    Ok(request)
}

/// Leaves out what an operator does not let pass. What has no place in the vocabulary needs no rule.
fn forget(name: &str, request: &mut Request<'_>) {
    match name {
        "context_management" => request.context_edits = None,
        "metadata" => request.user = None,
        "output_config" => request.reasoning.effort = None,
        "thinking" => request.reasoning.thinking = None,
        _ => {}
    }
}
