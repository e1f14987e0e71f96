//! Sampling, stop sequences, thinking, betas and the other parameters.

use super::generation::Generation;
use super::node::{Check, Node};
use super::structure;
use crate::error::AwsError;

/// Betas that Bedrock accepts; any other fails the request.
///
/// The list of the Envoy AI Gateway, which probed them, and `LiteLLM`'s:
/// <https://github.com/envoyproxy/ai-gateway>, <https://github.com/BerriAI/litellm>.
const BETAS: [&str; 26] = [
    "compact-2026-01-12",
    "compact-2026-09-04",
    "computer-use-2024-10-22",
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "dangerous-tool-use-2026-09-03",
    "dev-full-thinking-2025-05-14",
    "effort-2025-11-24",
    "fine-grained-tool-streaming-2025-05-14",
    "interleaved-thinking-2025-05-14",
    "mcp-client-2025-04-04",
    "mcp-client-2025-11-20",
    "mid-conversation-output-config-2026-07-01",
    "mid-conversation-tool-changes-2026-07-01",
    "model-context-window-exceeded-2025-08-26",
    "output-128k-2025-02-19",
    "pdfs-2024-09-25",
    "search-results-2025-06-09",
    "thinking-binding-controls-2026-08-01",
    "thinking-display-updates-2026-08-18",
    "token-counting-2024-11-01",
    "token-efficient-tools-2025-02-19",
    "tool-search-tool-2025-10-19",
    "web-search-2025-03-05",
];
const MAX_STOP_SEQUENCES: usize = 8191;
const MIN_THINKING_BUDGET: i64 = 1024;

pub(super) fn check(body: &Node<'_>, generation: Generation<'_>) -> Check {
    check_sampling(body, generation)?;
    check_stop_sequences(body)?;
    check_thinking(body, generation)?;
    if let Some(metadata) = body.get("metadata") {
        metadata.only(&["user_id"])?;
        metadata.get("user_id").map_or(Ok(""), |id| id.text())?;
    }
    structure::check(body, generation)
}

pub(super) fn check_betas(body: &Node<'_>) -> Check {
    let Some(betas) = body.get("anthropic_beta") else {
        return Ok(());
    };
    for beta in betas.items()? {
        if !BETAS.contains(&beta.text()?) {
            return Err(AwsError::validation("invalid beta flag"));
        }
    }
    Ok(())
}

/// Edits of `context_management` that are made, and their betas; others are extra inputs.
const EDITS: [(&str, &str); 2] = [
    ("clear_tool_uses_20250919", "context-management-2025-06-27"),
    ("compact_20260112", "compact-2026-01-12"),
];

pub(super) fn has_beta(body: &Node<'_>, wanted: &str) -> bool {
    let betas = body
        .value
        .get("anthropic_beta")
        .and_then(|own| own.as_array());
    betas.is_some_and(|betas| betas.iter().any(|own| own == wanted))
}

/// Fields that come with betas; <https://github.com/BerriAI/litellm/issues/26240>.
pub(super) fn check_beta_fields(body: &Node<'_>) -> Check {
    for (field, beta) in [
        ("compaction", "compact-2026-09-04"),
        ("safeguards", "dangerous-tool-use-2026-09-03"),
    ] {
        if let Some(own) = body.get(field).filter(|_| !has_beta(body, beta)) {
            return Err(own.refuse("Extra inputs are not permitted"));
        }
    }
    let Some(context) = body.get("context_management") else {
        return Ok(());
    };
    if body.get("compaction").is_some() {
        return Err(context.refuse("Extra inputs are not permitted"));
    }
    let edits = context.require("edits")?.items()?;
    for edit in &edits {
        let kind = edit.require("type")?.text()?;
        let known = EDITS.iter().find(|(own, _)| *own == kind);
        if known.is_none_or(|(_, beta)| !has_beta(body, beta)) {
            return Err(context.refuse("Extra inputs are not permitted"));
        }
    }
    Ok(())
}

fn check_sampling(body: &Node<'_>, generation: Generation<'_>) -> Check {
    for name in ["temperature", "top_p"] {
        if let Some(node) = body.get(name) {
            check_fraction(&node)?;
        }
    }
    if let Some(top_k) = body.get("top_k")
        && top_k.integer()? < 0
    {
        return Err(top_k.refuse("Input should be greater than or equal to 0"));
    }
    let sent = |name: &&str| body.get(name).is_some();
    if generation.takes_no_sampling_parameter()
        && let Some(name) = ["temperature", "top_p", "top_k"].iter().find(|n| sent(n))
    {
        let text = format!("`{name}` is deprecated for this model.");
        return Err(AwsError::validation(text));
    }
    if generation.takes_one_sampling_parameter() && sent(&"temperature") && sent(&"top_p") {
        return Err(AwsError::validation(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ));
    }
    Ok(())
}

fn check_fraction(node: &Node<'_>) -> Check {
    match node.number()? {
        low if low < 0.0 => Err(node.refuse("Input should be greater than or equal to 0")),
        high if high > 1.0 => Err(node.refuse("Input should be less than or equal to 1")),
        _ => Ok(()),
    }
}

fn check_stop_sequences(body: &Node<'_>) -> Check {
    let Some(sequences) = body.get("stop_sequences") else {
        return Ok(());
    };
    let items = sequences.items()?;
    if items.len() > MAX_STOP_SEQUENCES {
        return Err(sequences.refuse(&format!(
            "List should have at most {MAX_STOP_SEQUENCES} items after validation, not {}",
            items.len()
        )));
    }
    for item in items {
        if item.text()?.trim().is_empty() {
            return Err(sequences.refuse("each stop sequence must contain non-whitespace"));
        }
    }
    Ok(())
}

fn check_thinking(body: &Node<'_>, generation: Generation<'_>) -> Check {
    let Some(thinking) = body.get("thinking") else {
        return Ok(());
    };
    match thinking.tag(&["adaptive", "disabled", "enabled"])? {
        "enabled" if !generation.takes_thinking_budget() => Err(AwsError::validation(
            "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.",
        )),
        "enabled" => check_budget(body, &thinking.tagged("enabled")),
        "adaptive" if !generation.takes_adaptive_thinking() => Err(AwsError::validation(
            "adaptive thinking is not supported on this model",
        )),
        "disabled" if generation.always_thinks() => Err(AwsError::validation(
            "\"thinking.type.disabled\" is not supported for this model.",
        )),
        "disabled" => thinking.only(&["type"]),
        _ => {
            thinking.only(&["type", "display"])?;
            check_active_thinking(body)
        }
    }
}

fn check_budget(body: &Node<'_>, thinking: &Node<'_>) -> Check {
    thinking.only(&["type", "budget_tokens", "display"])?;
    let budget = thinking.require("budget_tokens")?;
    let tokens = budget.integer()?;
    if tokens < MIN_THINKING_BUDGET {
        return Err(budget.refuse("Input should be greater than or equal to 1024"));
    }
    if tokens >= body.require("max_tokens")?.integer()? {
        return Err(AwsError::validation(
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ));
    }
    let temperature = body.get("temperature").map(|node| node.number());
    if temperature.transpose()?.is_some_and(|value| value < 1.0) {
        return Err(AwsError::validation(
            "`temperature` may only be set to 1 when thinking is enabled.",
        ));
    }
    check_active_thinking(body)
}

fn check_active_thinking(body: &Node<'_>) -> Check {
    let choice = body.get("tool_choice").and_then(|node| node.get("type"));
    match choice.and_then(|node| node.value.as_str()) {
        Some("any" | "tool") => Err(AwsError::validation(
            "Thinking may not be enabled when tool_choice forces tool use.",
        )),
        _ => Ok(()),
    }
}
