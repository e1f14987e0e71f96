//! Every tool call is answered in the very next turn, and nothing else is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::node::{Check, Node};
use crate::error::AwsError;

/// Consecutive messages of one role, which the model server merges.
struct Turn<'a> {
    role: &'a str,
    /// Index of its first message.
    first: usize,
    /// Empty for messages whose content is a string.
    blocks: Vec<&'a Value>,
}

pub(super) fn check(messages: &Node<'_>) -> Check {
    let turns = merge(messages.value.as_array().map_or(&[], Vec::as_slice));
    let mut seen = BTreeSet::new();
    for turn in &turns {
        for id in turn.ids("tool_use", "id") {
            if !seen.insert(id) {
                return Err(messages.refuse("`tool_use` ids must be unique"));
            }
        }
    }
    let nothing = Turn {
        role: "",
        first: turns.len(),
        blocks: Vec::new(),
    };
    let followed_by = turns.iter().skip(1).chain([&nothing]);
    let preceded_by = [&nothing].into_iter().chain(turns.iter());
    for ((turn, next), previous) in turns.iter().zip(followed_by).zip(preceded_by) {
        check_calls(turn, next)?;
        check_results(turn, previous)?;
    }
    Ok(())
}

fn merge(messages: &[Value]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let role = message
            .get("role")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let content = message.get("content");
        let blocks = content.and_then(Value::as_array).into_iter().flatten();
        match turns.last_mut() {
            Some(turn) if turn.role == role => {
                // A string is a text block; it matters for the order only.
                turn.blocks
                    .extend(content.filter(|content| content.is_string()));
                turn.blocks.extend(blocks);
            }
            _ => turns.push(Turn {
                role,
                first: index,
                blocks: content
                    .filter(|content| content.is_string())
                    .into_iter()
                    .chain(blocks)
                    .collect(),
            }),
        }
    }
    turns
}

impl<'a> Turn<'a> {
    fn ids(&self, kind: &str, field: &str) -> Vec<&'a str> {
        let blocks = self.blocks.iter().filter(|block| is_kind(block, kind));
        blocks
            .filter_map(|block| block.get(field)?.as_str())
            .collect()
    }

    /// The results before any other block.
    fn leading_results(&self) -> Vec<&'a str> {
        let leading = self
            .blocks
            .iter()
            .take_while(|block| is_kind(block, "tool_result"));
        leading
            .filter_map(|block| block.get("tool_use_id")?.as_str())
            .collect()
    }
}

fn is_kind(block: &Value, kind: &str) -> bool {
    block.get("type").and_then(Value::as_str) == Some(kind)
}

fn check_calls(turn: &Turn<'_>, next: &Turn<'_>) -> Check {
    let results = next.leading_results();
    let calls = turn.ids("tool_use", "id");
    let open: Vec<&str> = calls
        .into_iter()
        .filter(|id| !results.contains(id))
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(AwsError::validation(format!(
        "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        turn.first,
        open.join(", ")
    )))
}

fn check_results(turn: &Turn<'_>, previous: &Turn<'_>) -> Check {
    let calls = previous.ids("tool_use", "id");
    let mut seen = BTreeSet::new();
    for id in turn.ids("tool_result", "tool_use_id") {
        if !calls.contains(&id) {
            return Err(AwsError::validation(format!(
                "messages.{}.content: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
                turn.first
            )));
        }
        if !seen.insert(id) {
            return Err(AwsError::validation(format!(
                "messages.{}.content: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}",
                turn.first
            )));
        }
    }
    Ok(())
}
