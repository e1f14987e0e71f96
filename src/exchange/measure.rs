//! Estimates how many tokens a request has, without asking a model.

use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;

use super::{Arrival, Edit, End, Exchange, Head, Reply, Step};
use crate::bedrock::DecodeError;
use crate::chat::{Error, FinishReason, Usage};
use crate::protocol::{Counter, Parsed};

/// Marks a count that is an estimate.
const TOKEN_COUNT: HeaderName = HeaderName::from_static("x-bedrock-token-count");
const ESTIMATED: &str = "estimated";

/// What is known of a request's length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    /// Its tokens; an estimate, and rather too high than too low.
    tokens: u64,
    /// Most tokens that the model takes.
    pub(super) most: Option<u32>,
    /// How they are reported, if that is all the client wants.
    counter: Option<Counter>,
}

impl Measure {
    pub(super) fn of(parsed: &Parsed<'_>) -> Option<Self> {
        Some(Self {
            tokens: parsed.estimate()?,
            most: None,
            counter: parsed.counter,
        })
    }

    /// Whether the client wants to know them, and nothing else.
    pub(super) fn counts(self) -> bool {
        self.counter.is_some()
    }

    /// An error, with what is known of the request's length if that is at fault.
    pub(super) fn tell(self, error: &Error) -> Error {
        let is_too_long = error.code == Some("context_length_exceeded");
        let size = self.most.map(|most| (self.tokens, most.into()));
        Error {
            size: error
                .size
                .clone()
                .or(size.filter(|_| is_too_long).map(Box::new)),
            ..error.clone()
        }
    }
}

impl Exchange {
    /// The estimate that replaces an error for a client that asks for a count.
    fn estimate(&self) -> Option<Vec<u8>> {
        let measure = self.measure?;
        Some(measure.counter?(measure.tokens))
    }

    /// An error as the client gets it.
    pub(super) fn told(&self, error: &Error) -> Error {
        self.measure
            .map_or_else(|| error.clone(), |own| own.tell(error))
    }

    /// The estimate in place of an error of the gateway's own, for a client that asks for a count.
    pub(super) fn reply_estimate(&mut self, error: &Error) -> Option<Step> {
        let body = self.estimate()?;
        self.note_end(|| End::Failed(error.clone()));
        let mut headers = crate::call::Headers::default();
        headers.add_id(self.protocol.id_header(), self.said.id.as_deref());
        let mut headers = headers.fields();
        headers.push((TOKEN_COUNT, HeaderValue::from_static(ESTIMATED)));
        Some(Step::Reply(Reply {
            status: StatusCode::OK,
            headers,
            body,
        }))
    }

    /// The same in place of an answer.
    pub(super) fn replace_by_estimate(&self, head: &Head, arrival: Arrival) -> Option<Step> {
        let body = self.estimate()?;
        let mut headers = head.json(self.to(), body.len());
        headers.extend(&[(TOKEN_COUNT, HeaderValue::from_static(ESTIMATED))]);
        if arrival.is_complete() {
            return Some(Edit::pass_to(headers, body));
        }
        headers.remove(|name| name.starts_with("content-"));
        Some(Step::Reply(Reply {
            status: StatusCode::OK,
            headers: headers.fields(),
            body,
        }))
    }
}

/// A count in the client's format. It uses no tokens.
pub(super) fn count(body: &[u8], counter: Counter) -> Result<(Vec<u8>, End), Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "inputTokens")]
        tokens: u64,
    }
    let body: Body =
        serde_json::from_slice(body).map_err(|error| DecodeError::from(error).reply())?;
    let end = End::Answered {
        reason: FinishReason::Stop,
        usage: Usage::default(),
        unknown_reason: None,
    };
    Ok((counter(body.tokens), end))
}
