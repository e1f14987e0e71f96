//! Anthropic's Messages API.
//!
//! Only what the chat vocabulary has a field for; `docs/ARCHITECTURE.md` names what is missing. Own types for
//! what we read and write, <https://platform.claude.com/docs/en/api/messages>.

mod answer;
mod blocks;
mod error;
mod events;
mod read;
mod request;

use std::rc::Rc;

use super::{Parsed, Protocol, Reply};
use crate::chat::{AnswerHead, AnswerStream, Completion, Error, Guarded};
use events::EventStream;

/// `POST /v1/messages`.
#[derive(Clone, Copy, Debug)]
pub struct Messages;

impl Protocol for Messages {
    fn parse<'a>(&self, body: &'a [u8]) -> Result<Parsed<'a>, Error> {
        let request = read::read(body)?;
        let reply = Rc::new(MessagesReply);
        Ok(Parsed { request, reply })
    }

    fn error_body(&self, error: &Error) -> Vec<u8> {
        error::body(error)
    }
}

/// Every client wants its answer alike.
#[derive(Clone, Copy, Debug)]
struct MessagesReply;

impl Reply for MessagesReply {
    fn whole(&self, answer: &Completion, head: &AnswerHead) -> Vec<u8> {
        answer::body(answer, head)
    }

    fn stream(&self, head: &AnswerHead) -> Box<dyn AnswerStream> {
        Box::new(Guarded::new(EventStream::new(head)))
    }
}
