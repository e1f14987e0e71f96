//! A request as it goes to Bedrock, without path and headers.

use serde::Serialize;

use super::answer::Answer;
use crate::bedrock::Operation;
use crate::chat::{Error, Param, Request};
use crate::json::{self, Pieces};

/// Most bytes by which an upstream body is usually longer than the client's.
const ROOM: usize = 1024;

/// An upstream request, without path and headers.
#[derive(Debug)]
pub struct EncodedRequest {
    /// The API to call.
    pub operation: Operation,
    /// The body; its spans are parts of the client's.
    pub body: Pieces,
    /// What is needed to read the answer.
    pub answer: Answer,
    /// What the request asks for and the body does not say, although the dialect takes such parameters.
    pub left_out: Vec<Param>,
}

impl EncodedRequest {
    /// A request with this body, as JSON, for a client's request of about the same length.
    ///
    /// # Errors
    ///
    /// A 500 when the body cannot be written as JSON; every dialect's body can.
    pub(in crate::bedrock) fn new(
        request: &Request<'_>,
        operation: Operation,
        body: &impl Serialize,
        answer: Answer,
    ) -> Result<Self, Error> {
        let capacity = (request.source.len() + ROOM).saturating_sub(request.long_texts());
        let body = json::to_pieces(body, request.source, capacity)
            .map_err(|error| Error::encoding(&error))?;
        Ok(Self {
            operation,
            body,
            answer,
            left_out: Vec::new(),
        })
    }

    /// The same, in which parameters of the request have no effect.
    pub(in crate::bedrock) fn without(self, left_out: Vec<Param>) -> Self {
        Self { left_out, ..self }
    }
}
