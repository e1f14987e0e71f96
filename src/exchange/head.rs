//! The head of an answer, and what becomes of it.

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::Reply;
use crate::call::Headers;
use crate::chat::{Clock, Error};
use crate::protocol::Protocol;

/// Media type of Bedrock's streams.
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// The upstream's headers that clients get. All others describe a body that is written anew, or are about the
/// upstream's own site or a proxy before it, not about the gateway: cookies, redirects, policies for browsers,
/// names of machines.
const KEPT: [&str; 2] = ["date", "retry-after"];

/// The header with AWS's id of a request.
pub(super) const AWS_ID: &str = "x-amzn-requestid";

/// About as many headers as an answer has.
const MOST_HEADERS: usize = 8;

/// Who an answer is for.
#[derive(Clone, Copy)]
pub(super) struct To<'e> {
    /// What the client speaks.
    pub(super) protocol: &'static dyn Protocol,
    /// The proxy's id of the request.
    pub(super) request_id: Option<&'e str>,
}

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: Headers,
    pub(super) clock: Option<Clock>,
}

impl Head {
    pub(super) fn new(headers: Headers, clock: Option<Clock>) -> Self {
        let status = headers.get(":status");
        let status = status.and_then(|status| StatusCode::from_bytes(status).ok());
        Self {
            status: status.unwrap_or(StatusCode::BAD_GATEWAY),
            headers,
            clock,
        }
    }

    pub(super) fn is_event_stream(&self) -> bool {
        self.status == StatusCode::OK
            && self
                .headers
                .get_str("content-type")
                .is_some_and(|kind| kind.starts_with(EVENT_STREAM))
    }

    /// Whether this many bytes are the whole body, according to `content-length`.
    pub(super) fn is_whole(&self, buffered: usize) -> bool {
        let length = self.headers.get_str("content-length");
        length.and_then(|length| length.parse().ok()) == Some(buffered)
    }

    /// The same headers with another status.
    pub(super) fn with_status(mut self, status: StatusCode) -> Headers {
        self.headers.remove(|name| name == ":status");
        self.headers
            .0
            .insert(0, (":status".into(), status.as_str().into()));
        self.headers
    }

    /// A reply of the filter's own in place of the answer.
    pub(super) fn reply(&self, to: To<'_>, error: &Error) -> Reply {
        Reply {
            status: to.protocol.error_status(error),
            headers: self.kept_beside(to, error).fields(),
            body: to.protocol.error_body(error, self.id(to)),
        }
    }

    /// Headers of a JSON answer.
    pub(super) fn json(&self, to: To<'_>, length: usize) -> Headers {
        json(self.kept(to, StatusCode::OK), length)
    }

    /// Headers and JSON of an error.
    pub(super) fn error_json(&self, to: To<'_>, error: &Error) -> (Headers, Vec<u8>) {
        let body = to.protocol.error_body(error, self.id(to));
        (json(self.kept_beside(to, error), body.len()), body)
    }

    /// What clients get of the upstream's headers together with an error. The upstream knows best how long a client
    /// should wait.
    fn kept_beside(&self, to: To<'_>, error: &Error) -> Headers {
        let mut headers = self.kept(to, to.protocol.error_status(error));
        if headers.get(RETRY_AFTER.as_str()).is_none() {
            headers.0.extend(Headers::of_error(error).0);
        }
        headers.extend(&to.protocol.error_headers(error));
        headers
    }

    /// Headers of a streamed answer.
    pub(super) fn sse(&self, to: To<'_>) -> Headers {
        let mut headers = self.kept(to, StatusCode::OK);
        headers.add("content-type", "text/event-stream; charset=utf-8");
        headers.add("cache-control", "no-cache");
        headers
    }

    /// The request's id: the proxy's, or AWS's where the proxy gives none.
    fn id<'h>(&'h self, to: To<'h>) -> Option<&'h str> {
        to.request_id.or(self.headers.get_str(AWS_ID))
    }

    /// What stays of the upstream's headers: what [`KEPT`] has, and AWS's id beside the request's own.
    fn kept(&self, to: To<'_>, status: StatusCode) -> Headers {
        let mut headers = Headers::with_capacity(MOST_HEADERS);
        headers.add(":status", status.as_str());
        let kept = self.headers.0.iter();
        let kept = kept.filter(|(name, _)| KEPT.contains(&&**name));
        headers.0.extend(kept.cloned());
        headers.add_id(to.protocol.id_header(), self.id(to));
        if to.request_id.is_some()
            && let Some(id) = self.headers.get(AWS_ID)
        {
            headers.add(AWS_ID, id);
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
