//! The filter's own code, run natively: from a client's request to Bedrock's, and back.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bedrock_filter::call::Headers;
use bedrock_filter::callers::Caller;
use bedrock_filter::config::ProtocolName;
use bedrock_filter::exchange::{Arrival, Exchange, Step};
use bedrock_filter::routes::Routes;
use serde_json::Value;

/// A client's request: what it speaks, and the body.
pub(crate) type Ask<'r> = (ProtocolName, &'r [u8]);

/// A request as the filter sends it to Bedrock.
pub(crate) struct Call {
    /// The whole header map, pseudo-headers and signature included.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// A reply by the filter itself, instead of a call.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The client's `error` object.
    pub error: Value,
}

impl Call {
    /// What the filter makes of a request of the gateway itself.
    pub(crate) fn of(
        routes: Arc<Routes>,
        request: Ask<'_>,
        now: SystemTime,
    ) -> Result<Self, Refusal> {
        Self::begin(routes, None, request, now).map(|(call, _)| call)
    }

    /// The same as that of a caller, or of the gateway itself, with the exchange that waits for the answer. An exchange
    /// must stay on its thread.
    pub(crate) fn begin(
        routes: Arc<Routes>,
        caller: Option<Arc<Caller>>,
        (protocol, request): Ask<'_>,
        now: SystemTime,
    ) -> Result<(Self, Exchange), Refusal> {
        let mut exchange = Exchange::new(routes);
        exchange.trust(caller);
        let mut head = Headers::default();
        head.add(":method", "POST");
        head.add(":path", protocol.path());
        let mut step = exchange.request_headers(head, Arrival::Partial);
        if step == Step::Wait {
            step = exchange.request_body(request.len(), Arrival::Complete, now, &mut || {
                request.to_vec()
            });
        }
        match step {
            Step::Edit(edit) => {
                let call = Self {
                    headers: edit.headers.unwrap_or_default(),
                    body: edit.body.unwrap_or_default().into_vec(),
                };
                Ok((call, exchange))
            }
            Step::Reply(reply) => Err(Refusal::new(reply.status.as_u16(), &reply.body)),
            _ => Err(Refusal::new(500, b"")),
        }
    }

    /// Headers as Bedrock gets them: without pseudo-headers, and without those that control
    /// Envoy.
    pub(crate) fn headers_to_bedrock(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let steers = |name: &str| name.starts_with("x-bedrock-") || name.starts_with("x-envoy-");
        let all = self.headers.0.iter();
        let all = all.map(|(name, value)| (&**name, value.as_slice()));
        all.filter(move |(name, _)| !name.starts_with(':') && !steers(name))
    }

    /// How long Envoy would wait for the answer to start.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let millis = self.header("x-envoy-upstream-rq-per-try-timeout-ms");
        millis.parse().ok().map(Duration::from_millis)
    }

    /// A header of the call.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get_str(name).unwrap_or_default()
    }
}

impl Refusal {
    /// Reads an error body, in which every protocol has its `error`.
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = body.get_mut("error").map(Value::take).unwrap_or_default();
        Self { status, error }
    }

    /// Its message, for a person.
    pub(crate) fn message(&self) -> String {
        let message = self.error.get("message").and_then(Value::as_str);
        message
            .unwrap_or("the filter refused the request")
            .to_owned()
    }
}
