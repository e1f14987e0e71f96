//! Anthropic's Messages API, and its counting of tokens.
//!
//! Own types for what we read and write, <https://platform.claude.com/docs/en/api/messages>. A request is read
//! once, into [`Asked`]: where everything stands in the client's body. Models that speak the same format get it
//! almost unchanged (`src/passthrough/`); for all others it is translated.

mod answer;
mod convert;
mod count;
mod error;
mod estimate;
mod events;
mod fault;
mod limits;
mod params;
mod reader;
mod shape;
mod wire;
mod wishes;

pub use answer::is_token;
pub use convert::{no_native, no_such_block, no_such_tool, not_fetched};
pub use error::body as error_body;
pub use wire::{Asked, Content, Member, Message, Object, Role, Value};

use std::rc::Rc;
use std::time::SystemTime;

use http::StatusCode;

use super::{Counter, Parsed, Protocol, Reply, Said};
use crate::chat::{AnswerHead, AnswerStream, Completion, Error, Guarded, Standing};
use crate::json::without_mark;
use events::EventStream;

/// The header with the names of beta features.
const BETA: &str = "anthropic-beta";

/// The header in which clients look for a request's id, and the prefix of the id.
const REQUEST_ID: (&str, &str) = ("request-id", "req_");

/// The endpoints that take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// `POST /v1/messages`.
    Create,
    /// `POST /v1/messages/count_tokens`.
    CountTokens,
}

impl Protocol for Messages {
    fn name(&self) -> &'static str {
        match self {
            Self::Create => "anthropic_messages",
            Self::CountTokens => "anthropic_count_tokens",
        }
    }

    fn headers(&self) -> &'static [&'static str] {
        &[BETA]
    }

    fn parse<'a>(&self, body: &'a [u8], said: &Said) -> Result<Parsed<'a>, Error> {
        let text = without_mark(body);
        let mut asked = reader::read(text).map_err(|fault| fault.error(text))?;
        asked.counts = self.counter().is_some();
        asked.betas = params::betas(&asked, said);
        let request = params::head(&asked, body, said.model.as_deref())?;
        let only_stop = match request.stop.as_slice() {
            [stop] => Some(stop.to_string()),
            _ => None,
        };
        Ok(Parsed {
            request: Box::new(request),
            native: Some(Box::new(asked)),
            reply: Rc::new(MessagesReply { only_stop }),
            counter: self.counter(),
        })
    }

    fn error_status(&self, error: &Error) -> StatusCode {
        error::status(error)
    }

    fn error_body(&self, error: &Error, id: Option<&str>) -> Vec<u8> {
        error::body(error, id)
    }

    /// Anthropic's own servers send this event (<https://docs.claude.com/en/api/messages-streaming#ping-events>).
    fn sign_of_life(&self) -> &'static [u8] {
        b"event: ping\ndata: {\"type\":\"ping\"}\n\n"
    }

    fn counter(&self) -> Option<Counter> {
        (*self == Self::CountTokens).then_some(count::counted)
    }

    fn limit_headers(
        &self,
        standings: &[Standing],
        now: SystemTime,
        tell: &mut dyn FnMut(&'static str, String),
    ) {
        limits::headers(standings, now, tell);
    }

    fn id_header(&self) -> Option<(&'static str, &'static str)> {
        Some(REQUEST_ID)
    }
}

/// How one client gets its answer.
#[derive(Debug)]
struct MessagesReply {
    /// Its stop text, if it has one alone: most models do not say at which of them they stopped.
    only_stop: Option<String>,
}

impl Reply for MessagesReply {
    fn whole(&self, answer: &Completion, head: &AnswerHead) -> Vec<u8> {
        answer::body(answer, head, self.only_stop.as_deref())
    }

    fn stream(&self, head: &AnswerHead) -> Box<dyn AnswerStream> {
        let stream = EventStream::new(head, self.only_stop.as_deref());
        Box::new(Guarded::new(stream))
    }
}
