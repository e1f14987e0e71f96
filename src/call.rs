//! A request as Bedrock gets it: translated, then signed.

mod headers;
mod left_out;
mod timeout;

pub use headers::Headers;
pub(crate) use left_out::LEFT_OUT;
pub(crate) use timeout::add as add_timeout;
pub use timeout::response_timeout;

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::bedrock::{self, Answer, Dialect, EncodedRequest, Operation, Options, Target};
use crate::catalog::{ModelFamily, Thinking};
use crate::chat::{self, Effort, Error, ErrorKind, Request};
use crate::json::Pieces;
use crate::protocol::{Parsed, Reply};
use crate::routes::{ResolveError, Route, Routes};
use crate::sign::Unsigned;

/// Header that names the Envoy cluster of a call, for a `cluster_header` route.
pub(crate) const CLUSTER_HEADER: &str = "x-bedrock-cluster";

/// What of a request is needed to read its answer.
pub(crate) struct Call {
    /// Name of the channel, for the log.
    pub(crate) channel: String,
    pub(crate) model: String,
    /// The family that the body was written for, when nothing but the channel vouches for it.
    pub(crate) assumed_family: Option<ModelFamily>,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) operation: Operation,
    pub(crate) answer: Answer,
    /// Whether the model may think long, and unseen, before it says anything.
    pub(crate) may_think: bool,
    /// Seconds since the epoch.
    pub(crate) created: u64,
    /// What of the request was left out, for the client to hear.
    pub(crate) left_out: Option<String>,
    /// Writes the answer as the client wants it.
    pub(crate) reply: Rc<dyn Reply>,
}

/// A request in the words of the model that is to serve it.
pub struct Prepared {
    dialect: &'static dyn Dialect,
    encoded: EncodedRequest,
    path: String,
    /// Headers that are signed with it.
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Whether a model may think before it says anything: it is asked to, or does so unasked.
fn may_think(route: &Route<'_>, request: &Request<'_>) -> bool {
    let effort = request.reasoning.effort;
    let is_asked = request.reasoning.thinking.is_some() || effort.is_some();
    let is_told_not_to = effort == Some(Effort::None);
    match route.model.map(|model| model.thinking) {
        Some(Thinking::None) => false,
        Some(Thinking::Always) => true,
        Some(Thinking::Effort | Thinking::NestedEffort) => !is_told_not_to,
        _ => is_asked && !is_told_not_to,
    }
}

impl Prepared {
    /// Translates a request for where it goes.
    ///
    /// # Errors
    ///
    /// When the model cannot be told what the request says.
    pub fn new(routes: &Routes, route: &Route<'_>, request: &Request<'_>) -> Result<Self, Error> {
        refuse_unknown(route, request)?;
        let dialect = bedrock::dialect_for(route.serving(), request)?;
        chat::check(request, |param| dialect.treatment(param))?;
        let options = Options::of(request, route.channel.channel.guardrail.as_ref())?;
        let target = Target {
            model: route.model,
            family: route.family,
            model_id: &route.model_id,
            options: &options,
        };
        let encoded = dialect.encode_request(request, &target)?;
        let limit = routes.limits().max_request_bytes;
        // Envoy's buffer holds twice the limit, and overrunning it would end the VM.
        if encoded.body.len() > limit.saturating_mul(2) {
            return Err(too_large(limit));
        }
        let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        if encoded.operation.takes_option_headers() {
            headers.extend(options.invoke_headers()?);
        }
        Ok(Self {
            dialect,
            path: bedrock::path(&route.model_id, encoded.operation),
            encoded,
            headers,
        })
    }

    /// Signs it, as late as possible: AWS takes signatures of the last minutes.
    pub(crate) fn sign(
        self,
        route: &Route<'_>,
        parsed: &Parsed<'_>,
        now: SystemTime,
    ) -> Result<(Call, Headers, Pieces), Error> {
        let Parsed { request, reply } = parsed;
        let body: Vec<_> = self.encoded.body.slices(request.source).collect();
        let headers = self.signed_headers(route, &body, now)?;
        let call = Call {
            channel: route.channel.channel.name.clone(),
            model: request.model.to_string(),
            assumed_family: route.is_opaque().then_some(route.family),
            dialect: self.dialect,
            operation: self.encoded.operation,
            answer: self.encoded.answer,
            may_think: may_think(route, request),
            created: now
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            left_out: left_out::value(&request.unknown),
            reply: Rc::clone(reply),
        };
        Ok((call, headers, self.encoded.body))
    }

    /// The whole header map of a call: nothing of the client's headers goes upstream.
    fn signed_headers(
        &self,
        route: &Route<'_>,
        body: &[&[u8]],
        now: SystemTime,
    ) -> Result<Headers, Error> {
        let channel = route.channel;
        let unsigned = Unsigned {
            authority: &channel.authority,
            path: &self.path,
            headers: &self.headers,
            body,
        };
        let signature = channel.signer.sign(unsigned, now).map_err(|_| {
            Error::server(
                StatusCode::INTERNAL_SERVER_ERROR,
                "signing_failed",
                "The gateway could not sign the request.",
            )
        })?;
        let mut headers = Headers::default();
        headers.add(":method", Method::POST.as_str());
        headers.add(":scheme", channel.endpoint.scheme());
        headers.add(":authority", channel.authority.as_str());
        headers.add(":path", self.path.as_str());
        headers.extend(&self.headers);
        // Envoy does not correct the client's length, and surplus bytes would be a second request.
        headers.add("content-length", self.encoded.body.len().to_string());
        headers.add(CLUSTER_HEADER, channel.cluster.as_str());
        headers.extend(&signature);
        Ok(headers)
    }
}

/// Refuses parameters that nobody knows, where the channel wants it.
fn refuse_unknown(route: &Route<'_>, request: &Request<'_>) -> Result<(), Error> {
    let unknown = request.unknown.first();
    let Some(name) = unknown.filter(|_| route.channel.refuses_unknown) else {
        return Ok(());
    };
    let message = format!("Unknown parameter: '{name}'. Remove it, or correct its spelling.");
    Err(Error::invalid(name.to_string(), message).code("unknown_parameter"))
}

/// The client's error, and a line for the operator if it is theirs.
pub(crate) fn unserved(why: &ResolveError) -> Error {
    if matches!(why, ResolveError::NoCredentials(_)) {
        log::warn!(
            "a request got a 503, because no channel for its model has valid credentials; the config-service \
             knows why it could not renew them"
        );
    }
    why.error()
}

/// The error for a request that is too large.
pub(crate) fn too_large(limit: usize) -> Error {
    let message = format!("The request is larger than the gateway's limit of {limit} bytes.");
    Error::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::InvalidRequest,
        message,
    )
    .code("request_too_large")
}
