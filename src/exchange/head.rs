//! The head of an answer, and what becomes of it.

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::Reply;
use crate::call::Headers;
use crate::chat::Error;
use crate::protocol::Protocol;

/// Media type of Bedrock's streams.
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// The upstream's headers that clients get. All others describe a body that is written anew, or are about the
/// upstream's own site or a proxy before it, not about the gateway: cookies, redirects, policies for browsers,
/// names of machines.
const KEPT: [&str; 2] = ["date", "retry-after"];

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: Headers,
}

impl Head {
    pub(super) fn new(headers: Headers) -> Self {
        let status = headers.get(":status");
        let status = status.and_then(|status| StatusCode::from_bytes(status).ok());
        Self {
            status: status.unwrap_or(StatusCode::BAD_GATEWAY),
            headers,
        }
    }

    pub(super) fn is_event_stream(&self) -> bool {
        self.status == StatusCode::OK
            && self
                .headers
                .get_str("content-type")
                .is_some_and(|kind| kind.starts_with(EVENT_STREAM))
    }

    /// Whether so many bytes are the whole body, as far as the head says how many there are.
    pub(super) fn is_whole(&self, buffered: usize) -> bool {
        let length = self.headers.get_str("content-length");
        length.and_then(|length| length.parse().ok()) == Some(buffered)
    }

    /// The same headers with the status after which Envoy tries again, whatever its own is.
    pub(super) fn unavailable(mut self) -> Headers {
        let status = StatusCode::SERVICE_UNAVAILABLE.as_str();
        self.headers.remove(|name| name == ":status");
        self.headers
            .0
            .insert(0, (":status".to_owned(), status.into()));
        self.headers
    }

    /// A reply of the filter's own in place of the answer.
    pub(super) fn reply(&self, protocol: &dyn Protocol, error: &Error) -> Reply {
        Reply {
            headers: self.kept_beside(error).fields(),
            ..Reply::error(protocol, error)
        }
    }

    /// Headers of a JSON answer.
    pub(super) fn json(&self, length: usize) -> Headers {
        json(self.kept(StatusCode::OK), length)
    }

    /// Headers of an error's JSON.
    pub(super) fn error_json(&self, error: &Error, length: usize) -> Headers {
        json(self.kept_beside(error), length)
    }

    /// What clients get of the upstream's headers together with an error. Who asks for time knows best for how
    /// long.
    fn kept_beside(&self, error: &Error) -> Headers {
        let mut headers = self.kept(error.status);
        if headers.get(RETRY_AFTER.as_str()).is_none() {
            headers.0.extend(Headers::of_error(error).0);
        }
        headers
    }

    /// Headers of a streamed answer.
    pub(super) fn sse(&self) -> Headers {
        let mut headers = self.kept(StatusCode::OK);
        headers.add("content-type", "text/event-stream; charset=utf-8");
        headers.add("cache-control", "no-cache");
        headers
    }

    /// What stays of the upstream's headers: what [`KEPT`] has, and AWS's id of the request.
    fn kept(&self, status: StatusCode) -> Headers {
        let mut headers = Headers::default();
        headers.add(":status", status.as_str());
        let kept = self.headers.0.iter();
        let kept = kept.filter(|(name, _)| KEPT.contains(&name.as_str()));
        headers.0.extend(kept.cloned());
        if let Some(id) = self.headers.get("x-amzn-requestid") {
            // OpenAI's clients show this header as the id to quote in a support request.
            headers.add("x-request-id", id);
        }
        headers
    }
}

/// Headers of a JSON body beside others.
fn json(mut headers: Headers, length: usize) -> Headers {
    headers.add("content-type", "application/json");
    headers.add("content-length", length.to_string());
    headers
}
