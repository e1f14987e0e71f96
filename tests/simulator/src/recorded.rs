//! The list of received requests.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::Fault;
use crate::wire::WireRequest;

/// How many requests are kept; the oldest are dropped, so that a demo can run for days.
const CAPACITY: usize = 1000;

/// Headers that clients send to a gateway and that AWS must never see.
const LEFTOVERS: [&str; 8] = [
    "cookie",
    "x-api-key",
    "x-request-id",
    "openai-",
    "x-forwarded-",
    "x-envoy-",
    "x-bedrock-",
    "x-stainless-",
];

/// One request as it was received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// HTTP method.
    pub method: String,
    /// Path as sent, percent-encoding included.
    pub path: String,
    /// Query as sent, without `?`.
    pub query: String,
    /// Name (lower case) and value of every header line, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body, if it is JSON.
    pub body: Option<Value>,
    /// Size of the body in bytes.
    pub body_bytes: usize,
    /// The outcome of the request.
    pub verdict: Verdict,
    /// The injected fault that hit it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was answered.
    Accepted,
    /// It was valid, but an injected fault hit it.
    Faulted {
        /// The effect in snake case, such as `truncate`.
        effect: String,
    },
    /// It was refused.
    Refused {
        /// HTTP status of the answer.
        status: u16,
        /// Exception name.
        name: String,
        /// Message of the answer.
        message: String,
    },
    /// Bedrock does not know its path or method.
    UnknownOperation,
}

impl Recorded {
    pub(crate) fn new(request: &WireRequest, verdict: Verdict) -> Self {
        Self {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: serde_json::from_slice(&request.body).ok(),
            body_bytes: request.body.len(),
            verdict,
            fault: None,
        }
    }

    /// The first value of a header; `name` in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Names of headers that belong to the client or to the proxy and should
    /// not have reached AWS.
    #[must_use]
    pub fn leftovers(&self) -> Vec<&str> {
        let is_leftover = |name: &str| {
            LEFTOVERS
                .iter()
                .any(|mark| name == *mark || (mark.ends_with('-') && name.starts_with(mark)))
        };
        let names = self.headers.iter().map(|(name, _)| name.as_str());
        names.filter(|name| is_leftover(name)).collect()
    }

    /// Whether it was answered, perhaps with an injected fault.
    #[must_use]
    pub fn was_valid(&self) -> bool {
        matches!(self.verdict, Verdict::Accepted | Verdict::Faulted { .. })
    }
}

type Observe = dyn Fn(&Recorded) + Send + Sync;

/// A callback that sees every request.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Observe>>);

impl Observer {
    pub(crate) fn new(observe: Arc<Observe>) -> Self {
        Self(Some(observe))
    }

    pub(crate) fn see(&self, recorded: &Recorded) {
        if let Some(observe) = &self.0 {
            observe(recorded);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}

/// The most recent requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log(VecDeque<Recorded>);

impl Log {
    pub(crate) fn push(&mut self, recorded: Recorded) {
        if self.0.len() == CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back(recorded);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.0.iter().cloned().collect()
    }
}
