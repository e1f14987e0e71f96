//! Turns OpenAI's messages into Claude's: a system prompt and alternating turns.
//!
//! Claude is strict where OpenAI is not: roles alternate and begin with the user, blank texts are
//! refused, all results of one turn's tool calls stand first in the next turn, in one message.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::body::{Block, ImageSource, Speaker, Turn};
use crate::bedrock::image::Image;
use crate::bedrock::tool_names::identifier;
use crate::bedrock::{Target, ToolNames};
use crate::openai::{ChatRequest, Content, Error, Message, Part, Role, ToolCall};

/// The conversation in Claude's terms.
pub(super) struct Conversation<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) turns: Vec<Turn<'a>>,
}

impl Conversation<'_> {
    /// Whether the model may answer: it must not be asked to continue its own words if it cannot.
    pub(super) fn prefill_allowed(&self, target: Target) -> bool {
        let ends_with_assistant = self
            .turns
            .last()
            .is_some_and(|turn| turn.role == Speaker::Assistant);
        !ends_with_assistant || target.model.is_none_or(|model| model.prefill)
    }
}

pub(super) fn encode<'a>(
    request: &'a ChatRequest<'_>,
    names: &mut ToolNames,
) -> Result<Conversation<'a>, Error> {
    let mut conversation = Conversation {
        system: Vec::new(),
        turns: Vec::new(),
    };
    for (index, message) in request.messages.iter().enumerate() {
        let param = format!("messages[{index}]");
        add(&mut conversation, message, &param, names)?;
    }
    finish(&mut conversation)?;
    Ok(conversation)
}

fn add<'a>(
    conversation: &mut Conversation<'a>,
    message: &'a Message<'_>,
    param: &str,
    names: &mut ToolNames,
) -> Result<(), Error> {
    if message.function_call.is_some() {
        let param = format!("{param}.function_call");
        let message = "'function_call' is not supported; use 'tool_calls'.";
        return Err(Error::unsupported(param, message));
    }
    let content = message.content.as_ref();
    match message.role {
        Role::System | Role::Developer => {
            let blocks = text_blocks(content, param)?;
            conversation.system.extend(blocks);
        }
        Role::User => conversation.push(Speaker::User, user_blocks(content, param)?),
        Role::Assistant => {
            let blocks = assistant_blocks(message, param, names)?;
            conversation.push(Speaker::Assistant, blocks);
        }
        Role::Tool => {
            let result = tool_result(message, param)?;
            conversation.push(Speaker::User, vec![result]);
        }
        Role::Function => {
            let param = format!("{param}.role");
            let message = "The role 'function' is not supported; use 'tool'.";
            return Err(Error::unsupported(param, message));
        }
    }
    Ok(())
}

impl<'a> Conversation<'a> {
    /// Adds blocks to the last turn if it is the same speaker's, else as a new turn.
    fn push(&mut self, role: Speaker, blocks: Vec<Block<'a>>) {
        if blocks.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(turn) if turn.role == role => turn.content.extend(blocks),
            _ => self.turns.push(Turn {
                role,
                content: blocks,
            }),
        }
    }
}

fn finish(conversation: &mut Conversation<'_>) -> Result<(), Error> {
    match conversation.turns.first().map(|turn| turn.role) {
        Some(Speaker::User) => {}
        Some(Speaker::Assistant) => {
            let message = "The first message after the system prompt must be from the user.";
            return Err(Error::invalid("messages", message));
        }
        None => {
            let message = "The conversation needs a user message that is not blank.";
            return Err(Error::invalid("messages", message));
        }
    }
    let mut calls = Vec::new();
    for turn in &mut conversation.turns {
        match turn.role {
            Speaker::User => sort_results(&mut turn.content, &calls),
            Speaker::Assistant => calls = call_ids(&turn.content),
        }
    }
    trim_prefill(conversation.turns.last_mut());
    Ok(())
}

/// Results first, in the order of the calls; everything else behind them as it came.
fn sort_results(content: &mut [Block<'_>], calls: &[String]) {
    content.sort_by_key(|block| match block {
        Block::ToolResult { tool_use_id, .. } => calls
            .iter()
            .position(|call| call == tool_use_id)
            .unwrap_or(calls.len()),
        _ => calls.len() + 1,
    });
}

fn call_ids(content: &[Block<'_>]) -> Vec<String> {
    let ids = content.iter().filter_map(|block| match block {
        Block::ToolUse { id, .. } => Some(id.to_string()),
        _ => None,
    });
    ids.collect()
}

/// Claude refuses a conversation that ends with white space of the assistant's.
fn trim_prefill(last: Option<&mut Turn<'_>>) {
    let Some(turn) = last.filter(|turn| turn.role == Speaker::Assistant) else {
        return;
    };
    if let Some(Block::Text { text }) = turn.content.last_mut() {
        let length = text.trim_end().len();
        match text {
            Cow::Borrowed(borrowed) => *borrowed = borrowed.get(..length).unwrap_or(borrowed),
            Cow::Owned(owned) => owned.truncate(length),
        }
    }
}

fn text_block(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then_some(Block::Text { text: text.into() })
}

fn text_blocks<'a>(content: Option<&'a Content<'_>>, param: &str) -> Result<Vec<Block<'a>>, Error> {
    blocks(content, param, |part, param| match &*part.kind {
        "text" => Ok(text_of(part)),
        kind => Err(unsupported_part(kind, param, "text")),
    })
}

fn user_blocks<'a>(content: Option<&'a Content<'_>>, param: &str) -> Result<Vec<Block<'a>>, Error> {
    blocks(content, param, |part, param| match &*part.kind {
        "text" => Ok(text_of(part)),
        "image_url" => image_block(part, param).map(Some),
        kind => Err(unsupported_part(kind, param, "text and image_url")),
    })
}

fn assistant_blocks<'a>(
    message: &'a Message<'_>,
    param: &str,
    names: &mut ToolNames,
) -> Result<Vec<Block<'a>>, Error> {
    let mut found = blocks(
        message.content.as_ref(),
        param,
        |part, param| match &*part.kind {
            "text" => Ok(text_of(part)),
            "refusal" => Ok(part.refusal.as_deref().and_then(text_block)),
            kind => Err(unsupported_part(kind, param, "text and refusal")),
        },
    )?;
    found.extend(message.refusal.as_deref().and_then(text_block));
    for (index, call) in message.tool_calls.iter().flatten().enumerate() {
        found.push(tool_use(
            call,
            &format!("{param}.tool_calls[{index}]"),
            names,
        )?);
    }
    Ok(found)
}

fn tool_use<'a>(
    call: &'a ToolCall<'_>,
    param: &str,
    names: &mut ToolNames,
) -> Result<Block<'a>, Error> {
    let arguments = call.function.arguments.as_deref().unwrap_or_default();
    // Models and clients write "no arguments" as an empty string; Claude wants an object.
    let arguments = match arguments.trim() {
        "" | "null" => "{}",
        arguments => arguments,
    };
    let input = serde_json::from_str::<&RawValue>(arguments)
        .ok()
        .filter(|input| input.get().starts_with('{'))
        .ok_or_else(|| {
            let param = format!("{param}.function.arguments");
            Error::invalid(param, "The arguments of a tool call must be a JSON object.")
        })?;
    Ok(Block::ToolUse {
        id: identifier(&call.id),
        name: names.send(&call.function.name),
        input,
    })
}

fn tool_result<'a>(message: &'a Message<'_>, param: &str) -> Result<Block<'a>, Error> {
    let Some(id) = &message.tool_call_id else {
        let param = format!("{param}.tool_call_id");
        let message = format!("Missing required parameter: '{param}'.");
        return Err(Error::invalid(param, message).code("missing_required_parameter"));
    };
    Ok(Block::ToolResult {
        tool_use_id: identifier(id),
        content: user_blocks(message.content.as_ref(), param)?,
    })
}

/// The blocks of a content; blank texts are left out, because Claude refuses them.
fn blocks<'a>(
    content: Option<&'a Content<'_>>,
    param: &str,
    mut block: impl FnMut(&'a Part<'_>, &str) -> Result<Option<Block<'a>>, Error>,
) -> Result<Vec<Block<'a>>, Error> {
    match content {
        None => Ok(Vec::new()),
        Some(Content::Text(text)) => Ok(text_block(text).into_iter().collect()),
        Some(Content::Parts(parts)) => parts
            .iter()
            .enumerate()
            .filter_map(|(index, part)| {
                block(part, &format!("{param}.content[{index}]")).transpose()
            })
            .collect(),
    }
}

fn text_of<'a>(part: &'a Part<'_>) -> Option<Block<'a>> {
    part.text.as_deref().and_then(text_block)
}

fn image_block<'a>(part: &'a Part<'_>, param: &str) -> Result<Block<'a>, Error> {
    let Some(image_url) = &part.image_url else {
        let param = format!("{param}.image_url");
        let message = format!("Missing required parameter: '{param}'.");
        return Err(Error::invalid(param, message).code("missing_required_parameter"));
    };
    let image = Image::parse(&image_url.url, param)?;
    Ok(Block::Image {
        source: ImageSource {
            kind: "base64",
            media_type: image.media_type,
            data: image.data,
        },
    })
}

fn unsupported_part(kind: &str, param: &str, supported: &str) -> Error {
    let message =
        format!("Content parts of type '{kind}' are not supported here; use {supported}.");
    Error::unsupported(format!("{param}.type"), message)
}
