//! OpenAI's Responses API, without anything that is stored: the conversation is in every request.
//!
//! Own types for what we read and write, <https://platform.openai.com/docs/api-reference/responses>.

mod answer;
mod call;
mod count;
mod echo;
mod error;
mod events;
mod item;
mod items;
mod names;
mod object;
mod params;
mod read;
mod request;
mod tools;
mod wanted;

pub use params::{FIXED, params};

use std::rc::Rc;

use super::{Counter, Parsed, Protocol, Reply, Said};
use crate::chat::{AnswerHead, AnswerStream, Completion, Error, Guarded};
use answer::Shell;
use events::EventStream;
use wanted::Wanted;

/// The endpoints that take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Responses {
    /// `POST /v1/responses`.
    Create,
    /// `POST /v1/responses/input_tokens`.
    CountTokens,
}

impl Protocol for Responses {
    fn name(&self) -> &'static str {
        match self {
            Self::Create => "openai_responses",
            Self::CountTokens => "openai_input_tokens",
        }
    }

    fn parse<'a>(&self, body: &'a [u8], said: &Said) -> Result<Parsed<'a>, Error> {
        let (request, reply) = read::read(body, said.model.as_deref())?;
        let reply = Rc::new(ResponsesReply(Rc::new(reply)));
        Ok(Parsed {
            counter: self.counter(),
            ..Parsed::chat(request, reply)
        })
    }

    fn error_body(&self, error: &Error, _id: Option<&str>) -> Vec<u8> {
        error::body(error)
    }

    fn asked(&self) -> &'static str {
        "input"
    }

    fn counter(&self) -> Option<Counter> {
        (*self == Self::CountTokens).then_some(count::counted)
    }
}

struct ResponsesReply(Rc<Wanted>);

impl Reply for ResponsesReply {
    fn whole(&self, answer: &Completion, head: &AnswerHead) -> Vec<u8> {
        let shell = Shell::new(head, &self.0);
        answer::body(answer, &shell)
    }

    fn stream(&self, head: &AnswerHead) -> Box<dyn AnswerStream> {
        let shell = Shell::new(head, &self.0);
        Box::new(Guarded::new(EventStream::new(shell)))
    }
}
