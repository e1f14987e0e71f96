//! Items of the output.

use super::call::Call;
use super::names::Kind;
use crate::json;
use crate::protocol::openai::free_text::free_text;

/// An item, as far as it has arrived.
#[derive(Debug)]
pub(super) struct Item {
    /// Unique in the response.
    pub(super) id: String,
    /// Its place in the output.
    pub(super) index: usize,
    pub(super) content: Content,
}

/// What an item is.
#[derive(Debug)]
pub(super) enum Content {
    /// What the model says.
    Message(String),
    /// What it thinks.
    Reasoning(Reasoning),
    /// What it calls.
    Call(Call),
}

/// What the model thinks.
#[derive(Debug, Default)]
pub(super) struct Reasoning {
    /// The text to show, which may be empty.
    pub(super) text: String,
    /// Whether the text is a summary, and not the thoughts themselves.
    pub(super) is_summary: bool,
    /// What the client is to send back.
    pub(super) sealed: Option<String>,
}

/// How far an item, or a response, has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }

    /// The status of the `index`th of `count` items of such a response: only the last one can be unfinished.
    pub(super) fn of_item(self, index: usize, count: usize) -> Self {
        match self {
            Self::Incomplete | Self::Failed if index + 1 == count => Self::Incomplete,
            _ => Self::Completed,
        }
    }
}

impl Content {
    /// What the id of such an item begins with.
    pub(super) fn prefix(&self) -> &'static str {
        match self {
            Self::Message(_) => "msg_",
            Self::Reasoning(_) => "rs_",
            Self::Call(call) => call.words().1,
        }
    }
}

impl Item {
    /// Writes the item; one in progress shows nothing yet of what arrives in pieces.
    pub(super) fn write(&self, out: &mut Vec<u8>, status: Status) {
        let is_new = status == Status::InProgress;
        out.extend_from_slice(b"{\"id\":");
        json::write_str(out, &self.id);
        match &self.content {
            Content::Message(text) => {
                member(out, "type", "message");
                member(out, "role", "assistant");
                out.extend_from_slice(b",\"content\":[");
                if !is_new {
                    text_part(out, text);
                }
                out.push(b']');
            }
            Content::Reasoning(own) => {
                member(out, "type", "reasoning");
                let text = Some(&*own.text).filter(|text| !text.is_empty() && !is_new);
                out.extend_from_slice(b",\"summary\":[");
                if let Some(text) = text.filter(|_| own.is_summary) {
                    part(out, "summary_text", text);
                }
                out.push(b']');
                if let Some(text) = text.filter(|_| !own.is_summary) {
                    out.extend_from_slice(b",\"content\":[");
                    part(out, "reasoning_text", text);
                    out.push(b']');
                }
                if let Some(sealed) = own.sealed.as_ref().filter(|_| !is_new) {
                    member(out, "encrypted_content", sealed);
                }
            }
            Content::Call(call) => write_call(out, call, status),
        }
        // OpenAI's have none for thoughts either, and some clients send back all that they get.
        if !matches!(self.content, Content::Reasoning(_)) {
            member(out, "status", status.word());
        }
        out.push(b'}');
    }
}

fn write_call(out: &mut Vec<u8>, call: &Call, status: Status) {
    let is_new = status == Status::InProgress;
    member(out, "type", call.words().0);
    member(out, "call_id", &call.call_id);
    let arguments = if is_new { "" } else { &*call.arguments };
    match call.called.kind {
        Kind::Function => member(out, "arguments", arguments),
        Kind::Custom if is_new => member(out, "input", ""),
        Kind::Custom => member(out, "input", &free_text(arguments)),
        Kind::Search => {
            member(out, "execution", "client");
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok();
            let arguments = if is_json { arguments } else { "{}" };
            out.extend_from_slice(b",\"arguments\":");
            json::write_line(out, arguments);
            return;
        }
    }
    member(out, "name", &call.called.name);
    if let Some(namespace) = &call.called.namespace {
        member(out, "namespace", namespace);
    }
}

/// Writes `,"name":"value"`; the name needs no escapes.
pub(super) fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    json::write_str(out, value);
}

/// Writes `{"type":"kind","text":"text"}`.
pub(super) fn part(out: &mut Vec<u8>, kind: &str, text: &str) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.push(b'"');
    member(out, "text", text);
    out.push(b'}');
}

/// Writes a part of a message.
pub(super) fn text_part(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[]");
    member(out, "text", text);
    out.push(b'}');
}
