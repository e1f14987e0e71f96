//! What clients speak.
//!
//! A [`Protocol`] makes a request of the chat vocabulary out of a client's body, and the client's answer or
//! error out of what became of it. Protocols know nothing of models and of how they are called.

pub mod anthropic_messages;
mod models;
pub mod openai_chat;
mod path;

pub use models::{model, model_list};
pub use path::{ClientPath, Served};

use std::rc::Rc;

use crate::chat::{AnswerHead, AnswerStream, Completion, Error, Request};

/// An API that clients speak.
pub trait Protocol: Sync {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// The client's fault, with its place.
    fn parse<'a>(&self, body: &'a [u8]) -> Result<Parsed<'a>, Error>;

    /// The JSON body of an error.
    fn error_body(&self, error: &Error) -> Vec<u8>;
}

/// A request that was read.
pub struct Parsed<'a> {
    /// What the client asks.
    pub request: Box<Request<'a>>,
    /// How the client wants the answer.
    pub reply: Rc<dyn Reply>,
}

/// Writes the answer to one request, as its client wants it.
pub trait Reply {
    /// The JSON body of a whole answer.
    fn whole(&self, answer: &Completion, head: &AnswerHead) -> Vec<u8>;

    /// Writes a streamed answer: server-sent events.
    fn stream(&self, head: &AnswerHead) -> Box<dyn AnswerStream>;
}
