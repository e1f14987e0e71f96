//! Writes a conversation as chat messages.

use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::bedrock::ToolNames;
use crate::bedrock::shared::conversation::{
    Block, BlockContent, Conversation, Speaker, ToolUse, Turn, joined_text,
};
use crate::bedrock::shared::image::DataUri;
use crate::json::Text;
use crate::wire::openai::{Content, FunctionCall, Part, ToolCall};

/// Length of a tool call's id: <https://docs.mistral.ai/capabilities/function_calling/>.
const ID_LEN: usize = 9;

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub(super) enum Message<'a> {
    System {
        content: String,
    },
    User {
        content: Content<'a, DataUri<'a>>,
    },
    Assistant {
        content: Text<'a>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall<'a>>,
    },
    Tool {
        tool_call_id: Cow<'a, str>,
        content: Text<'a>,
    },
}

/// The messages of a conversation.
pub(super) fn messages<'c>(
    conversation: &'c Conversation<'_>,
    names: &mut ToolNames,
) -> Vec<Message<'c>> {
    let mut messages = Vec::new();
    let system = conversation.system_text();
    messages.extend(system.map(|content| Message::System { content }));
    for turn in &conversation.turns {
        match turn.speaker {
            Speaker::User => add_user(turn, &mut messages),
            Speaker::Assistant => messages.push(assistant(turn, names)),
        }
    }
    messages
}

/// One message for each result, then one for everything else.
fn add_user<'c>(turn: &'c Turn<'_>, messages: &mut Vec<Message<'c>>) {
    for block in &turn.blocks {
        if let BlockContent::ToolResult(result) = &block.content {
            messages.push(Message::Tool {
                tool_call_id: call_id(&result.id),
                content: joined_text(&result.content),
            });
        }
    }
    let content = if turn.images().next().is_some() {
        Content::Parts(turn.blocks.iter().filter_map(part).collect())
    } else {
        Content::Text(turn.text())
    };
    if !matches!(&content, Content::Text(text) if text.is_empty()) {
        messages.push(Message::User { content });
    }
}

fn assistant<'c>(turn: &'c Turn<'_>, names: &mut ToolNames) -> Message<'c> {
    let calls = turn.blocks.iter().filter_map(|block| match &block.content {
        BlockContent::ToolUse(call) => Some(tool_call(call, names)),
        _ => None,
    });
    Message::Assistant {
        tool_calls: calls.collect(),
        content: turn.text(),
    }
}

fn tool_call<'c>(call: &'c ToolUse<'_>, names: &mut ToolNames) -> ToolCall<'c> {
    let function = FunctionCall {
        name: names.send(call.name),
        arguments: call.input.get(),
    };
    ToolCall::new(call_id(&call.id), function)
}

fn part<'c>(block: &'c Block<'_>) -> Option<Part<'c, DataUri<'c>>> {
    match &block.content {
        BlockContent::Text(text) => Some(Part::Text { text: text.clone() }),
        BlockContent::Image(image) => Some(Part::image(DataUri(image))),
        _ => None,
    }
}

/// The id itself if it has Mistral's form; otherwise one in that form. The same id always gives the same one, so a
/// call and its result stay together.
fn call_id(id: &str) -> Cow<'_, str> {
    if id.len() == ID_LEN && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Cow::Borrowed(id);
    }
    let digest = Sha256::digest(id.as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Cow::Owned(digits.chars().take(ID_LEN).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_nine_letters_and_digits() {
        assert_eq!(call_id("AbCd12345"), "AbCd12345");
        let id = call_id("call_long-one");
        assert_eq!((&id, id.len()), (&call_id("call_long-one"), ID_LEN));
        assert_ne!(id, call_id("call_long-two"));
    }
}
