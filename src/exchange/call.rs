//! A request as Bedrock gets it: translated, then signed.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::request::too_large;
use super::{Call, Headers};
use crate::bedrock::{self, Dialect, EncodedRequest, Options, Target};
use crate::catalog::Thinking;
use crate::chat::{self, Effort, Error, Request};
use crate::json::Pieces;
use crate::protocol::Parsed;
use crate::routes::{Route, Routes};
use crate::sign::Unsigned;

/// Header that names the Envoy cluster of a call, for a `cluster_header` route.
pub(super) const CLUSTER_HEADER: &str = "x-bedrock-cluster";

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
        let dialect = bedrock::choose(route, request)?;
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
    pub(super) fn sign(
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
