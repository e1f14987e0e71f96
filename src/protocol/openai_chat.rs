//! OpenAI's Chat Completions API.
//!
//! Own types for what we read and write, <https://platform.openai.com/docs/api-reference/chat>.
//! Strings are borrowed from the request body wherever JSON allows it.

mod arguments;
mod chunk;
mod completion;
mod content;
mod conversation;
mod error;
mod fault;
mod foreign;
mod format;
mod message;
mod params;
mod part;
mod read;
mod request;
mod tool;
mod value;

pub use params::params;
pub use request::ChatRequest;

use std::rc::Rc;

use super::{Parsed, Protocol, Reply};
use crate::chat::{AnswerHead, AnswerStream, Completion, Error, Guarded};
use chunk::{ChunkWriter, StreamUsage};

/// `POST /v1/chat/completions`.
#[derive(Clone, Copy, Debug)]
pub struct Chat;

impl Protocol for Chat {
    fn parse<'a>(&self, body: &'a [u8]) -> Result<Parsed<'a>, Error> {
        let wire = ChatRequest::parse(body)?;
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
        });
        let request = wire.into_request()?;
        Ok(Parsed { request, reply })
    }

    fn error_body(&self, error: &Error) -> Vec<u8> {
        error::body(error)
    }
}

/// How a client wants its answer.
#[derive(Clone, Copy, Debug)]
struct ChatReply {
    usage: StreamUsage,
    tool_style: ToolStyle,
    /// Whether what the model thought is in it.
    reasoning: bool,
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
        completion::body(answer, head, *self)
    }

    fn stream(&self, head: &AnswerHead) -> Box<dyn AnswerStream> {
        let writer = ChunkWriter::new(head, *self);
        Box::new(Guarded::new(writer))
    }
}
