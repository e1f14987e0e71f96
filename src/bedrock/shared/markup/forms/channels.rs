//! gpt-oss's messages on channels: reading their headers.
//!
//! <https://developers.openai.com/cookbook/articles/openai-harmony>

use super::{object, some};
use crate::bedrock::shared::markup::calls::{Call, Form, Offer};

/// Begins a message.
pub(in crate::bedrock::shared::markup) const START: &str = "<|start|>";

/// Begins the name of a channel.
pub(in crate::bedrock::shared::markup) const CHANNEL: &str = "<|channel|>";

/// Ends a header.
pub(in crate::bedrock::shared::markup) const MESSAGE: &str = "<|message|>";

/// What ends a message.
pub(in crate::bedrock::shared::markup) const ENDS: &[&str] = &["<|end|>", "<|return|>", "<|call|>"];

/// A call: a message to a function.
pub(in crate::bedrock::shared::markup) static CALL: Form = Form {
    open: CHANNEL,
    closes: &["<|call|>", "<|end|>", "<|return|>", START, CHANNEL],
    parse,
    untyped: false,
};

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock::shared::markup) enum Goal {
    /// For nobody: the model thinks.
    Thought,
    /// For the user.
    Answer,
    /// For a function.
    Function,
}

impl Goal {
    /// Reads a header, without its last token.
    pub(in crate::bedrock::shared::markup) fn of(header: &str) -> Self {
        let channel = header.rsplit_once(CHANNEL).map_or("", |(_, rest)| rest);
        if recipient(header).is_some() {
            Self::Function
        } else if channel.trim_start().starts_with("analysis") {
            Self::Thought
        } else {
            Self::Answer
        }
    }
}

/// `to=functions.NAME`, before or after the channel.
fn recipient(header: &str) -> Option<&str> {
    let (_, rest) = header.split_once("to=")?;
    let name = rest.split(|c: char| c.is_whitespace() || c == '<').next();
    name.filter(|name| !name.is_empty())
}

/// A header that names a function, and its arguments.
fn parse(text: &str, offer: Offer<'_>) -> Option<Vec<Call>> {
    let (header, body) = text.split_once(MESSAGE)?;
    let ends = CALL.closes.iter().filter_map(|end| body.strip_suffix(end));
    let arguments = ends.min_by_key(|rest| rest.len()).unwrap_or(body);
    let call = recipient(header).and_then(|name| {
        Some(Call {
            id: None,
            name: offer.name(name)?.to_owned(),
            arguments: object(arguments)?,
        })
    });
    some(std::iter::once(call))
}
