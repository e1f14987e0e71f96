//! Writes a conversation as OpenAI's messages.

use super::body::Message;
use crate::bedrock::ToolNames;
use crate::bedrock::shared::conversation::{
    Block, BlockContent, Conversation, Speaker, ToolResult, Turn, joined_text,
};
use crate::bedrock::shared::image::DataUri;
use crate::json::Text;
use crate::wire::openai::{Content, FunctionCall, Part, ToolCall};

/// In place of an id that is empty, both of a call and of its result.
const NO_ID: &str = "call";

pub(super) fn messages<'c>(
    conversation: &'c Conversation<'c>,
    names: &mut ToolNames,
) -> Vec<Message<'c>> {
    let mut messages = Vec::new();
    let system = conversation.system_text();
    messages.extend(system.map(|content| Message::System { content }));
    for turn in &conversation.turns {
        match turn.speaker {
            Speaker::User => user(turn, &mut messages),
            Speaker::Assistant => messages.push(assistant(turn, names)),
        }
    }
    messages
}

/// Results of calls, each a message of its own, then the rest of the user's turn.
fn user<'c>(turn: &'c Turn<'c>, messages: &mut Vec<Message<'c>>) {
    let results = turn.blocks.iter().filter_map(result);
    messages.extend(results.map(|result| Message::Tool {
        tool_call_id: id(&result.id),
        content: joined_text(&result.content),
    }));
    let blocks = turn.blocks.iter();
    let parts: Vec<_> = blocks
        .filter_map(|block| text(block).or_else(|| image(block)))
        .collect();
    if turn.images().next().is_some() {
        let content = Content::Parts(parts);
        messages.push(Message::User { content });
    } else if !parts.is_empty() {
        let content = Content::Text(turn.text());
        messages.push(Message::User { content });
    }
}

fn assistant<'c>(turn: &'c Turn<'c>, names: &mut ToolNames) -> Message<'c> {
    let calls = turn.blocks.iter().filter_map(|block| match &block.content {
        // Vendors have their own forms of ids, so they stay unchanged.
        BlockContent::ToolUse(call) => Some(ToolCall::new(
            id(&call.id),
            FunctionCall {
                name: names.send(call.name),
                arguments: call.input.get(),
            },
        )),
        _ => None,
    });
    let tool_calls = calls.collect();
    let text = turn.text();
    Message::Assistant {
        content: Some(text).filter(|text: &Text<'_>| !text.is_empty()),
        tool_calls,
    }
}

/// Some clients lose ids and send empty ones, which models refuse.
fn id(own: &str) -> &str {
    if own.is_empty() { NO_ID } else { own }
}

fn result<'c>(block: &'c Block<'c>) -> Option<&'c ToolResult<'c>> {
    match &block.content {
        BlockContent::ToolResult(result) => Some(result),
        _ => None,
    }
}

fn text<'c>(block: &'c Block<'c>) -> Option<Part<'c, DataUri<'c>>> {
    match &block.content {
        BlockContent::Text(text) => Some(Part::Text { text: text.clone() }),
        _ => None,
    }
}

fn image<'c>(block: &'c Block<'c>) -> Option<Part<'c, DataUri<'c>>> {
    match &block.content {
        BlockContent::Image(image) => Some(Part::image(DataUri(image))),
        _ => None,
    }
}
