//! What clients speak.
//!
//! A [`Protocol`] turns a client's body into a request in the chat vocabulary, and the result into the client's
//! answer or error. Protocols know nothing about models and how they are called.

pub mod anthropic_messages;
mod estimate;
mod openai;
pub mod openai_chat;
pub mod openai_responses;
mod path;
mod retry;

pub use path::{ClientPath, Served};

use std::borrow::Cow;
use std::rc::Rc;
use std::time::SystemTime;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::chat::{AnswerHead, AnswerStream, Completion, Error, Request, Standing};

/// A comment among server-sent events.
pub(crate) const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// An API that clients speak.
pub trait Protocol: Sync {
    /// Its name in metrics and logs.
    fn name(&self) -> &'static str;

    /// The headers of a request that it reads, in lower case; [`Self::parse`] gets them.
    fn headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads a request.
    ///
    /// # Errors
    ///
    /// The client's fault, with its place.
    fn parse<'a>(&self, body: &'a [u8], said: &Said) -> Result<Parsed<'a>, Error>;

    /// The HTTP status of an error.
    fn error_status(&self, error: &Error) -> StatusCode {
        error.status
    }

    /// The headers that an error adds besides `retry-after`.
    fn error_headers(&self, error: &Error) -> Vec<(HeaderName, HeaderValue)> {
        retry::headers(error)
    }

    /// The JSON body of an error; `id` is that of the request.
    fn error_body(&self, error: &Error, id: Option<&str>) -> Vec<u8>;

    /// What the client of a silent stream gets to see that it is alive: a comment, which every reader of server-sent
    /// events skips (<https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes>).
    fn sign_of_life(&self) -> &'static [u8] {
        KEEP_ALIVE
    }

    /// The member of a request with what is asked.
    fn asked(&self) -> &'static str {
        "messages"
    }

    /// How it reports the number of a request's tokens, if counting is all it does.
    fn counter(&self) -> Option<Counter> {
        None
    }

    /// Tells the headers in which clients look for how they stand with their limits: each name with its value.
    fn limit_headers(
        &self,
        standings: &[Standing],
        _now: SystemTime,
        tell: &mut dyn FnMut(&'static str, String),
    ) {
        openai::limits::headers(standings, tell);
    }

    /// The header in which clients look for the request's id, besides `x-request-id`, and what is put before it.
    fn id_header(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}

/// Writes a number of tokens as the JSON body of an answer.
pub type Counter = fn(u64) -> Vec<u8>;

/// What a request says outside its body.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Headers that its protocol reads, in their order: lower-case names, values.
    pub headers: Vec<(&'static str, String)>,
    /// The name of the model, where the path has it. It counts more than the body's, which need not have one.
    pub model: Option<String>,
    /// The word by which it chooses among models, if it says one.
    pub tag: Option<String>,
    /// The id of the request: the proxy's, or the client's own if the proxy kept it.
    pub id: Option<String>,
}

/// A request that was read.
pub struct Parsed<'a> {
    /// What the client asks: all of it, or what `native` does not have.
    pub request: Box<Request<'a>>,
    /// The conversation and the tools in the words of Anthropic's API, if the client speaks it.
    pub native: Option<Box<anthropic_messages::Asked<'a>>>,
    /// How the client wants the answer.
    pub reply: Rc<dyn Reply>,
    /// How its tokens are reported, if counting is all that is asked for.
    pub counter: Option<Counter>,
}

impl<'a> Parsed<'a> {
    /// A request that is in the chat vocabulary already.
    #[must_use]
    pub fn chat(request: Box<Request<'a>>, reply: Rc<dyn Reply>) -> Self {
        Self {
            request,
            native: None,
            reply,
            counter: None,
        }
    }

    /// An estimate of its tokens, rather too high than too low, where it may be needed.
    #[must_use]
    pub fn estimate(&self) -> Option<u64> {
        let is_needed = self.native.is_some() || self.counter.is_some();
        is_needed.then(|| self.tokens())
    }

    /// An estimate of its tokens, rather too high than too low.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        match &self.native {
            Some(asked) => asked.estimate(),
            None => estimate::of(&self.request),
        }
    }

    /// Bytes of its texts, images and files not counted.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        match &self.native {
            Some(asked) => asked.text_bytes(),
            None => estimate::text_bytes(&self.request),
        }
    }

    /// The whole request in the chat vocabulary.
    ///
    /// # Errors
    ///
    /// A 400 for what the vocabulary has no word for.
    pub fn translated(&self) -> Result<Cow<'_, Request<'a>>, Error> {
        match &self.native {
            None => Ok(Cow::Borrowed(&*self.request)),
            Some(asked) => {
                let native = &anthropic_messages::no_native;
                asked.translate(&self.request, native).map(Cow::Owned)
            }
        }
    }
}

/// Writes the answer to one request, as its client wants it.
pub trait Reply {
    /// The JSON body of a whole answer.
    fn whole(&self, answer: &Completion, head: &AnswerHead) -> Vec<u8>;

    /// Writes a streamed answer: server-sent events.
    fn stream(&self, head: &AnswerHead) -> Box<dyn AnswerStream>;
}
