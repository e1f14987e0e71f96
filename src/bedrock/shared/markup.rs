//! What open models write into their texts besides the answer: reasoning between tags, tool calls in the tokens of
//! their own templates, and remains of both.
//!
//! Bedrock removes most of it; what it misses is read here. [`Markup`] says which model writes what, a [`Scanner`]
//! reads it in a text that arrives in any pieces, and a [`Listener`] passes it to an answer's sink. An answer reads
//! the same whole and streamed. Nothing is held back except a possible start of a token, the white space before it,
//! and tool calls.
//!
//! Reasoning between tags stands at the start of a text, in any number of pieces. The opening tag may be missing where
//! it ended the prompt and nothing was thought. After an answer's first words, a tag is text about tags.
//!
//! Calls in markup are reported at the end. If the vendor's server has already made calls of the same tokens, they
//! are only the remains of those, and no call must be made twice. Markup is a tool call only if the model was offered
//! a tool of that name. Otherwise it is ordinary text: people ask models about such things. In JSON
//! that the client asked for, everything is text.

mod calls;
mod fence;
mod forms;
mod listener;
mod scanner;
mod side;
mod state;
mod table;
mod typed;
mod vocabulary;

#[cfg(test)]
mod tests;

pub(in crate::bedrock) use calls::Schemas;
pub(in crate::bedrock) use listener::{Listener, Whole};
pub(in crate::bedrock) use scanner::Scanner;
pub(in crate::bedrock) use state::Start;
pub(in crate::bedrock) use table::Markup;

use crate::bedrock::shared::end_reason::Called;
use crate::bedrock::{Target, ToolNames};
use crate::chat::{BlockContent, Request};

/// How the texts of one answer are read.
#[derive(Clone, Debug)]
pub(in crate::bedrock) struct Rules {
    /// What the model writes.
    markup: &'static Markup,
    /// The types of its tools' arguments, for markup that does not tell them.
    schemas: Schemas,
    /// Tool calls of earlier turns, so that ids made up here are unique in the conversation.
    earlier_calls: u32,
    /// Whether the client asked for JSON.
    json: bool,
}

impl Rules {
    /// The rules for the answer to a request; `None` for models that write no markup.
    pub(in crate::bedrock) fn of(request: &Request<'_>, target: &Target<'_>) -> Option<Self> {
        let markup = Markup::of(target)?;
        Some(Self {
            markup,
            schemas: if markup.has_untyped_calls() {
                Schemas::of(request)
            } else {
                Schemas::default()
            },
            earlier_calls: earlier_calls(request),
            json: !request.output.is_text(),
        })
    }
}

impl From<&'static Markup> for Rules {
    fn from(markup: &'static Markup) -> Self {
        Self {
            markup,
            schemas: Schemas::default(),
            earlier_calls: 0,
            json: false,
        }
    }
}

fn earlier_calls(request: &Request<'_>) -> u32 {
    let blocks = request.messages.iter().flat_map(|message| &message.blocks);
    let calls = blocks.filter(|block| matches!(block.content, BlockContent::ToolUse(_)));
    u32::try_from(calls.count()).unwrap_or(u32::MAX)
}

/// A piece of a text, by its kind; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Piece<'t> {
    /// Reasoning.
    Reasoning(&'t str),
    /// Part of the answer.
    Answer(&'t str),
}

/// The reasoning and the answer of a whole text, where no tools were offered.
pub(in crate::bedrock) fn split(
    text: &str,
    markup: &'static Markup,
    start: Start,
) -> (String, String) {
    let (mut reasoning, mut answer) = (String::new(), String::new());
    let mut sink = |piece: Piece<'_>| match piece {
        Piece::Reasoning(text) => reasoning.push_str(text),
        Piece::Answer(text) => answer.push_str(text),
    };
    let names = ToolNames::default();
    let mut scanner = Scanner::new(markup.into(), start, &names);
    scanner.push(text, &names, &mut sink);
    scanner.finish(Called::Nothing, &names, &mut sink);
    (reasoning, answer)
}
