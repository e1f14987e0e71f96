//! Whether a request can be passed on unchanged.
//!
//! What a model refuses in a conversation (calls without results, names that are too long, an answer begun with
//! white space) has to be repaired, and what it lacks has to be made up for. Translation does all that, so such
//! requests are translated.

use std::collections::BTreeSet;

use super::facts::Facts;
use crate::catalog::Model;
use crate::chat::Request;
use crate::protocol::anthropic_messages::{Asked, Content, Message, Object, Role, Value, is_token};

/// Media types of images and files that Claude reads.
const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const FILES: [&str; 1] = ["application/pdf"];

/// Longest name of a tool on Bedrock, in bytes.
const MAX_NAME: usize = 64;

/// Whether a request can be passed on unchanged.
#[must_use]
pub fn fits(asked: &Asked<'_>, head: &Request<'_>, model: Option<&'static Model>) -> bool {
    let facts = Facts::of(model);
    head.output.is_text()
        && (!head.tool_choice.is_forced()
            || (facts.takes_forced_tools() && !asked.tools.1.is_empty()))
        && asked.tools.1.iter().all(is_tool)
        && is_in_order(asked, facts)
}

/// Whether a tool can be offered as it is.
fn is_tool(tool: &Object<'_>) -> bool {
    if !matches!(tool.kind(), "" | "custom") {
        return true;
    }
    let is_object = tool.object("input_schema").is_some_and(|schema| {
        let kind = schema.kind();
        let has = |name| schema.get(name).is_some();
        matches!(kind, "object" | "custom") && !["allOf", "anyOf", "oneOf"].into_iter().any(has)
    });
    is_object && tool.text("name").is_some_and(|name| is_name(name))
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME && is_token(name)
}

/// Whether the user speaks first, the model may continue where the conversation ends, every call has its result in
/// the next turn, and there is nothing in it that the model does not read.
fn is_in_order(asked: &Asked<'_>, facts: Facts) -> bool {
    let all = asked.messages.1.iter();
    // Blank notes are not passed on.
    let mut all = all.filter(|own| own.role != Role::System || !own.content.is_blank());
    let mut said = all
        .clone()
        .filter(|message| message.role != Role::System)
        .peekable();
    let ends_with_system = all
        .next_back()
        .is_some_and(|last| last.role == Role::System);
    if said.peek().is_none_or(|first| first.role != Role::User) {
        return false;
    }
    let has_tools = !asked.tools.1.is_empty();
    let mut open = Calls::default();
    let mut last: Option<&Message<'_>> = None;
    for message in said {
        let turn = match last {
            Some(last) if last.role != message.role => Turn::Next,
            _ => Turn::Same,
        };
        let is_whole = match message.role {
            Role::Assistant => {
                (turn == Turn::Same || open.is_answered()) && open.calls(&message.content, turn)
            }
            _ => open.answers(&message.content, turn),
        };
        let reads = message.content.blocks().iter().all(|own| reads(own, facts));
        if !is_whole || !reads || (!has_tools && open.is_used) || message.content.is_blank() {
            return false;
        }
        last = Some(message);
    }
    open.is_answered() && (ends_with_system || last.is_some_and(|last| may_end_with(last, facts)))
}

fn may_end_with(last: &Message<'_>, facts: Facts) -> bool {
    if last.role == Role::User {
        return true;
    }
    let ends_blank = |text: &str| text.ends_with(char::is_whitespace);
    facts.takes_prefill()
        && match &last.content {
            Content::Text(text) => !ends_blank(text),
            Content::Blocks(_, blocks) => blocks.last().is_some_and(|own| {
                own.kind() == "text" && !own.text("text").is_some_and(|text| ends_blank(text))
            }),
        }
}

/// Whether a model reads a block, and what is inside it.
fn reads(block: &Object<'_>, facts: Facts) -> bool {
    let own = match block.kind() {
        "image" => facts.reads_images() && is_of(block, &IMAGES),
        "document" => facts.reads_documents() && is_of(block, &FILES),
        _ => true,
    };
    own && block.inside().iter().all(|inner| reads(inner, facts))
}

/// Whether what a block has in base64 is of one of these media types, which it names itself.
fn is_of(block: &Object<'_>, types: &[&str]) -> bool {
    let source = block.object("source").filter(|own| own.kind() == "base64");
    let media_type = source.and_then(|own| own.text("media_type"));
    media_type.is_none_or(|own| types.contains(&&**own))
}

/// Whose turn it is when a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Still that of who spoke before.
    Same,
    /// The other's.
    Next,
}

/// The calls of a turn, and which of them have their results.
#[derive(Default)]
struct Calls<'a> {
    /// Every id of the conversation.
    all: BTreeSet<&'a str>,
    /// Those of the last turn of the assistant's without a result yet.
    open: BTreeSet<&'a str>,
    /// Whether the user's turn has said something besides results.
    is_past_results: bool,
    is_used: bool,
}

impl<'a> Calls<'a> {
    fn is_answered(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes what the assistant says; whether its calls can be passed on unchanged.
    fn calls<'o: 'a>(&mut self, content: &'o Content<'_>, turn: Turn) -> bool {
        if turn == Turn::Next {
            self.open.clear();
        }
        for block in content
            .blocks()
            .iter()
            .filter(|own| own.kind() == "tool_use")
        {
            self.is_used = true;
            let id = block.text("id").map_or("", |id| id);
            let name = block.text("name").map_or("", |name| name);
            if !is_token(id) || !is_name(name) || !self.all.insert(id) {
                return false;
            }
            self.open.insert(id);
        }
        true
    }

    /// Takes what the user says; whether its results are those of the calls before it, and come first.
    fn answers<'o: 'a>(&mut self, content: &'o Content<'_>, turn: Turn) -> bool {
        self.is_past_results &= turn == Turn::Same;
        if let Content::Text(_) = content {
            self.is_past_results = true;
            return true;
        }
        for block in content.blocks() {
            if block.kind() != "tool_result" {
                self.is_past_results = true;
                continue;
            }
            self.is_used = true;
            let id = block.text("tool_use_id").map_or("", |id| id);
            let failed_silently = block.is_true("is_error") && !has_text_alone(block);
            if self.is_past_results || failed_silently || !self.open.remove(id) {
                return false;
            }
        }
        true
    }
}

/// What a failed call must have come back with.
fn has_text_alone(block: &Object<'_>) -> bool {
    match block.get("content") {
        Some(Value::Text(text)) => !text.is_blank(),
        Some(Value::Blocks(_, inside)) => {
            !inside.is_empty() && inside.iter().all(|own| own.kind() == "text")
        }
        _ => false,
    }
}
