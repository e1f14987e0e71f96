//! OpenAI's Chat Completions API.
//!
//! Own types for what we read and write, <https://platform.openai.com/docs/api-reference/chat>.
//! Strings are borrowed from the request body wherever JSON allows it.

mod chunk;
mod completion;
mod conversation;
mod error;
mod foreign;
mod format;
mod message;
mod params;
mod parse;
mod read;
mod reasoning;
mod request;
mod tool;
mod tool_choice;

pub use params::params;
pub use request::ChatRequest;

use std::rc::Rc;

use super::{Parsed, Protocol, Reply, Said};
use crate::chat::{AnswerHead, AnswerStream, Completion, Error, Guarded};
use chunk::{ChunkWriter, StreamUsage};
use tool::Tool;

/// `POST /v1/chat/completions`.
#[derive(Clone, Copy, Debug)]
pub struct Chat;

impl Protocol for Chat {
    fn name(&self) -> &'static str {
        "openai_chat"
    }

    fn parse<'a>(&self, body: &'a [u8], said: &Said) -> Result<Parsed<'a>, Error> {
        let wire = ChatRequest::parse_for(body, said.model.as_deref())?;
        let reply = Rc::new(ChatReply {
            usage: if wire.wants_usage() {
                StreamUsage::Included
            } else {
                StreamUsage::Omitted
            },
            tool_style: if wire.functions.is_some() {
                ToolStyle::FunctionCall
            } else {
                ToolStyle::ToolCalls
            },
            reasoning: wire.shows_reasoning(),
            free_text: names_for_free_text(&wire),
        });
        let request = wire.into_request()?;
        Ok(Parsed::chat(request, reply))
    }

    fn error_body(&self, error: &Error, _id: Option<&str>) -> Vec<u8> {
        error::body(error)
    }
}

/// Names of the tools that take free text.
fn names_for_free_text(request: &ChatRequest<'_>) -> Rc<[Box<str>]> {
    let tools = request.tools.iter().flatten();
    let names = tools.filter_map(Tool::name_for_free_text);
    names.map(Box::from).collect()
}

/// How a client wants its answer.
#[derive(Clone, Debug)]
struct ChatReply {
    usage: StreamUsage,
    tool_style: ToolStyle,
    /// Whether it includes what the model thought.
    reasoning: bool,
    /// Names of the tools that take free text.
    free_text: Rc<[Box<str>]>,
}

impl ChatReply {
    /// Whether a call has free text for the client. The old `function_call` has no such form.
    fn takes_free_text(&self, name: &str) -> bool {
        self.tool_style == ToolStyle::ToolCalls && self.free_text.iter().any(|own| **own == *name)
    }
}

/// How the client wants tool calls: as it offered the tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ToolStyle {
    /// `tool_calls`.
    ToolCalls,
    /// The old `function_call`, for requests with `functions`.
    FunctionCall,
}

impl Reply for ChatReply {
    fn whole(&self, answer: &Completion, head: &AnswerHead) -> Vec<u8> {
        completion::body(answer, head, self)
    }

    fn stream(&self, head: &AnswerHead) -> Box<dyn AnswerStream> {
        let writer = ChunkWriter::new(head, self.clone());
        Box::new(Guarded::new(writer))
    }
}
