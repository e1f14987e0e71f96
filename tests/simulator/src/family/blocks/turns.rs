//! The order of messages, and which block may be where.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::AwsError;
use crate::family::{field, list};

type Check = Result<(), AwsError>;

/// Whether text may be next to tool results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mixing {
    Allowed,
    Refused,
}

/// Blocks that only a user sends.
const FROM_USER: [&str; 7] = [
    "toolResult",
    "image",
    "document",
    "video",
    "audio",
    "guardContent",
    "searchResult",
];
/// Blocks that only an assistant sends.
const FROM_ASSISTANT: [&str; 3] = ["toolUse", "reasoningContent", "citationsContent"];

/// Checks the messages of a body that fits its schema.
pub(crate) fn check(body: &Value, mixing: Mixing) -> Check {
    let messages = list(body, "messages");
    check_order(messages)?;
    for (at, message) in messages.iter().enumerate() {
        check_message(at, message, mixing)?;
    }
    check_tools(body, messages)
}

fn check_order(messages: &[Value]) -> Check {
    let roles = messages.iter().filter_map(|message| field(message, "role"));
    let roles: Vec<&str> = roles.filter(|role| *role != "system").collect();
    if roles.first() != Some(&"user") {
        return Err(AwsError::validation(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ));
    }
    match roles.windows(2).any(|pair| pair.first() == pair.last()) {
        true => Err(AwsError::validation(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.",
        )),
        false => Ok(()),
    }
}

fn check_message(at: usize, message: &Value, mixing: Mixing) -> Check {
    let blocks = list(message, "content");
    let elsewhere: &[&str] = match field(message, "role") {
        Some("user") => &FROM_ASSISTANT,
        _ => &FROM_USER,
    };
    for (index, block) in blocks.iter().enumerate() {
        if field(block, "text").is_some_and(|text| text.trim().is_empty()) {
            return Err(AwsError::validation(format!(
                "The text field in the ContentBlock object at messages.{at}.content.{index} is blank. Add text to the text field, and try again."
            )));
        }
        if let Some(kind) = elsewhere.iter().find(|kind| block.get(**kind).is_some()) {
            let role = field(message, "role").unwrap_or_default();
            return Err(AwsError::validation(format!(
                "The {kind} content block at messages.{at}.content.{index} is not supported in a message with the {role} role."
            )));
        }
    }
    let result = |block: &&Value| block.get("toolResult").is_some();
    let other = |block: &&Value| {
        !result(block)
            && block
                .get("cachePoint")
                .is_none_or(|_| block.get("text").is_some())
    };
    match mixing == Mixing::Refused
        && blocks.iter().any(|b| result(&b))
        && blocks.iter().any(|b| other(&b))
    {
        true => Err(AwsError::validation(
            "Conversation blocks and tool result blocks cannot be provided in the same turn.",
        )),
        false => Ok(()),
    }
}

fn check_tools(body: &Value, messages: &[Value]) -> Check {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let results = ids(message, "toolResult");
        if (!open.is_empty() || !results.is_empty()) && body.get("toolConfig").is_none() {
            return Err(AwsError::validation(
                "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
            ));
        }
        check_results(at, &open, &results)?;
        open = ids(message, "toolUse");
        for id in &open {
            if !seen.insert(*id) {
                let text = format!("messages.{at}.content: duplicate toolUse ID: {id}");
                return Err(AwsError::validation(text));
            }
        }
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(expected(messages.len(), &open)),
    }
}

fn check_results(at: usize, open: &[&str], results: &[&str]) -> Check {
    let missing: Vec<&str> = open
        .iter()
        .copied()
        .filter(|id| !results.contains(id))
        .collect();
    let distinct: BTreeSet<&&str> = results.iter().collect();
    if !missing.is_empty() {
        return Err(expected(at, &missing));
    }
    match results.len() > open.len() || distinct.len() < results.len() {
        true => Err(AwsError::validation(format!(
            "The number of toolResult blocks at messages.{at}.content exceeds the number of toolUse blocks of previous turn."
        ))),
        false => Ok(()),
    }
}

fn expected(at: usize, ids: &[&str]) -> AwsError {
    AwsError::validation(format!(
        "Expected toolResult blocks at messages.{at}.content for the following Ids: {}",
        ids.join(", ")
    ))
}

fn ids<'a>(message: &'a Value, kind: &str) -> Vec<&'a str> {
    let blocks = list(message, "content").iter();
    let of_kind = blocks.filter_map(|block| block.get(kind));
    of_kind
        .filter_map(|block| field(block, "toolUseId"))
        .collect()
}
