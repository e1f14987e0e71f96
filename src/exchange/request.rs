//! The way up: from the client's request to a signed call.

use std::rc::Rc;
use std::time::SystemTime;

use http::header::ALLOW;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode};

use super::paths::{bare, decoded, endpoint, no_such_path, served};
use super::{Arrival, Body, Edit, Exchange, Head, Measure, Phase, ReadBody, Reply, Stage, Step};
use crate::call::{
    Call, Headers, Prepared, REQUEST_ID, Untagged, Wish, add_only_timeout, read_request, too_large,
    untag,
};
use crate::callers::Caller;
use crate::chat::{Error, ErrorKind};
use crate::config::BelowPrefix;
use crate::failover::overloaded;
use crate::health;
use crate::json::Pieces;
use crate::models::{self, Shape};
use crate::protocol::{ClientPath, Parsed, Protocol, Served, anthropic_messages};
use crate::routes::{Route, Routes};

/// Headers that Envoy itself needs after the filter: its router finds no route without the first,
/// its access log shows the second. Routes remove them before a call leaves.
const KEPT_HEADERS: [&str; 2] = ["x-forwarded-proto", REQUEST_ID];

/// Longest id of a request that is repeated, in bytes.
const MAX_ID: usize = 128;

/// The header with the word by which a client chooses among models.
const TIER: &str = "x-bedrock-tier";

/// Prefix of the headers that control routing; clients must not set them.
const OWN_PREFIX: &str = "x-bedrock-";

impl Exchange {
    pub(super) fn head_step(&mut self, mut headers: Headers, arrival: Arrival) -> Step {
        self.meet_id(&mut headers);
        let path = headers.get(":path");
        let Some(path) = path.and_then(|path| PathAndQuery::try_from(path).ok()) else {
            return self.not_ours(headers);
        };
        let served = served(&self.routes);
        let Some((api, model)) = endpoint(&self.routes, &path, served) else {
            return self.no_endpoint(&path, served, headers);
        };
        if let Some(step) = self.meet_page(&headers) {
            return step;
        }
        let shape = match api {
            ClientPath::Ask(protocol) => {
                self.protocol = protocol;
                Shape::OpenAi
            }
            _ => self.shape(&headers),
        };
        let method = headers.get_str(":method").unwrap_or_default();
        if !api.takes(method) {
            return self.not_allowed(method, &api.method());
        }
        if matches!(api, ClientPath::Ask(_)) {
            // Before anybody is refused: a request for a model counts whoever sends it.
            self.account.open();
        }
        if !api.is_open()
            && let Some(step) = self.meet_caller(&headers)
        {
            return step;
        }
        match api {
            ClientPath::Models => {
                let list = models::list(self.permitted(), shape, path.query());
                self.reply_json(list)
            }
            ClientPath::Model(name) => {
                let one = models::one(self.permitted(), shape, &decoded(name));
                self.reply_json(one)
            }
            ClientPath::Usage => self.figures_head(),
            ClientPath::Health => self.health_head(path.query()),
            ClientPath::Alive => self.reply_json(Ok(health::alive())),
            ClientPath::Ready => self.reply_json(Ok(health::ready(&self.routes))),
            ClientPath::Ask(_) => {
                self.said.model = model.map(decoded);
                self.ask_headers(headers, arrival)
            }
        }
    }

    /// Notes the id that the proxy gave the request, or kept if it was the client's. One that is not fit for a log or a
    /// header is made so before anybody repeats it.
    fn meet_id(&mut self, headers: &mut Headers) {
        let Some(id) = headers.get_mut(REQUEST_ID).filter(|own| !own.is_empty()) else {
            return;
        };
        let fit = fit_id(id);
        self.is_id_mended = *id != fit.as_bytes();
        if self.is_id_mended {
            *id = fit.clone().into_bytes();
        }
        self.said.id = Some(fit);
    }

    pub(super) fn body_step(
        &mut self,
        buffered: usize,
        arrival: Arrival,
        now: SystemTime,
        read: ReadBody<'_>,
    ) -> Step {
        match self.phase {
            Phase::RequestBody { .. } => {}
            // A body that nobody needs must not send the request on while its answer is awaited.
            Phase::Figures => return Step::Wait,
            _ => return Step::Pass,
        }
        let limit = self.routes.limits().max_request_bytes;
        if buffered > limit {
            return self.reply(&too_large(limit));
        }
        if !arrival.is_complete() {
            return Step::Wait;
        }
        let Phase::RequestBody { kept } = self.take_phase() else {
            return Step::Pass;
        };
        self.account.asked(now);
        if let Stage::Listener { picker, client } = &self.stage
            && picker.uses_pools(now)
        {
            let (picker, client) = (Rc::clone(picker), *client);
            return self.start_attempts(&picker, client, kept, now, (buffered, read));
        }
        let body = self.untagged(read());
        let rules = self.routes.callers().rules(self.caller.as_deref());
        let parsed = match read_request((self.protocol, &self.said), &body, rules) {
            Ok(parsed) => parsed,
            Err(error) => return self.reply(&error),
        };
        self.measure = Measure::of(&parsed);
        self.start_meter(&parsed);
        self.note_prompt(&parsed);
        let caller = self.caller.as_deref();
        match call(
            &self.routes,
            (caller, &parsed),
            self.said.tag.as_deref(),
            now,
        ) {
            Ok((call, mut headers, pieces)) => {
                if let Some(measure) = &mut self.measure {
                    measure.most = call.context;
                }
                headers.0.extend(kept.0);
                self.note_call(&call, 1, now);
                self.phase = Phase::Upstream(call);
                Step::Edit(Edit {
                    headers: Some(headers),
                    body: Some(Body::new(pieces, body)),
                })
            }
            Err(error) => self.reply(&error),
        }
    }

    /// The body without the words in brackets by which its model is chosen.
    pub(super) fn untagged(&mut self, body: Vec<u8>) -> Vec<u8> {
        let model = self.said.model.as_deref();
        let Some(Untagged { body, tag }) = untag(&self.routes, model, &body) else {
            return body;
        };
        // What a person writes counts more than what a program adds.
        self.said.tag = tag.or_else(|| self.said.tag.take());
        body
    }

    /// A path without an endpoint, whether below one of our prefixes or not.
    fn no_endpoint(&mut self, path: &PathAndQuery, served: Served, headers: Headers) -> Step {
        let below = |own: BelowPrefix<'_>| {
            let protocol = ClientPath::below(own.rest, served)?;
            let stored = ClientPath::stored(own.rest, served).map(not_stored);
            Some((protocol, stored))
        };
        let found = self
            .routes
            .path_prefixes()
            .below(bare(path))
            .find_map(below);
        let Some((protocol, stored)) = found else {
            return self.not_ours(headers);
        };
        self.protocol = protocol;
        if let Some(step) = self.meet_page(&headers) {
            return step;
        }
        self.reply(&stored.unwrap_or_else(|| no_such_path(path, served)))
    }

    /// A path that is not the gateway's passes, but without headers that control its routes.
    fn not_ours(&mut self, mut headers: Headers) -> Step {
        self.phase = Phase::Done;
        if headers.remove(|name| name.starts_with(OWN_PREFIX)) {
            return Step::Edit(Edit {
                headers: Some(headers),
                body: None,
            });
        }
        Step::Pass
    }

    /// The answer has to name the allowed method: <https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6>.
    fn not_allowed(&mut self, method: &str, allowed: &Method) -> Step {
        self.phase = Phase::Done;
        let message = format!("{method} is not allowed on this path; use {allowed}.");
        let error = Error::new(
            StatusCode::METHOD_NOT_ALLOWED,
            ErrorKind::InvalidRequest,
            message,
        );
        let error = error.code("method_not_allowed");
        let mut reply = Reply::error(self.protocol, &error, self.said.id.as_deref());
        if let Ok(allowed) = HeaderValue::from_str(allowed.as_str()) {
            reply.headers.push((ALLOW, allowed));
        }
        Step::Reply(reply)
    }

    pub(super) fn reply_json(&mut self, body: Result<Vec<u8>, Error>) -> Step {
        match body {
            Ok(body) => {
                self.phase = Phase::Done;
                let mut headers = Headers::default();
                headers.add_id(self.protocol.id_header(), self.said.id.as_deref());
                Step::Reply(Reply {
                    status: StatusCode::OK,
                    headers: headers.fields(),
                    body,
                })
            }
            Err(error) => self.reply(&error),
        }
    }

    /// Whose API a client speaks where the path does not say: Anthropic's clients always send their version.
    fn shape(&mut self, headers: &Headers) -> Shape {
        if headers.get("anthropic-version").is_none() {
            return Shape::OpenAi;
        }
        self.protocol = &anthropic_messages::Messages::Create;
        Shape::Anthropic
    }

    fn ask_headers(&mut self, headers: Headers, arrival: Arrival) -> Step {
        let limit = self.routes.limits().max_request_bytes;
        let length = headers
            .get_str("content-length")
            .and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > limit) {
            return self.reply(&too_large(limit));
        }
        if headers
            .get("content-encoding")
            .is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity"))
        {
            let message = "The request body must not be compressed; send it without \
                           content-encoding.";
            let error = Error::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ErrorKind::InvalidRequest,
                message,
            );
            return self.reply(&error.code("unsupported_content_encoding"));
        }
        if arrival.is_complete() {
            let message = format!(
                "The request has no body; send a JSON object with 'model' and '{}'.",
                self.protocol.asked()
            );
            return self.reply(&Error::new(
                StatusCode::BAD_REQUEST,
                ErrorKind::InvalidRequest,
                message,
            ));
        }
        self.said.headers = said(self.protocol, &headers);
        self.said.tag = headers.get_str(TIER).map(str::to_owned);
        let mut kept = headers;
        kept.remove(|name| !KEPT_HEADERS.contains(&name));
        self.phase = Phase::RequestBody { kept };
        Step::Wait
    }
}

impl Head {
    /// Why Envoy ended a request before all of it had arrived and anything was sent to Bedrock.
    pub(super) fn refusal(&self) -> Error {
        let invalid = |status, message| Error::new(status, ErrorKind::InvalidRequest, message);
        match self.status {
            StatusCode::REQUEST_TIMEOUT => {
                let message = "The request did not arrive in time; send it again.";
                invalid(self.status, message).code("request_timeout")
            }
            StatusCode::PAYLOAD_TOO_LARGE => self.error(b"", None),
            status if status.is_client_error() => {
                let message = "The request body cannot be read: it is malformed or was cut off. Nothing was sent to \
                               the model.";
                invalid(StatusCode::BAD_REQUEST, message).code("invalid_request")
            }
            // Envoy ends requests that are still arriving when it runs out of memory.
            StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE => {
                overloaded("The gateway has no memory left for this request; please retry.")
            }
            _ => self.error(b"", None),
        }
    }
}

/// Translates, routes and signs a request for the first of the models wished for that can serve it.
fn call(
    routes: &Routes,
    (caller, parsed): (Option<&Caller>, &Parsed<'_>),
    tag: Option<&str>,
    now: SystemTime,
) -> Result<(Call, Headers, Pieces), Error> {
    let wish = Wish::of(routes, parsed, tag);
    let all = routes.permitted(caller);
    let permitted = wish.permitted(all);
    let mut objection = None;
    for model in wish.models() {
        let Ok(route) = permitted.resolve(model, now) else {
            continue;
        };
        match call_on(&route, (routes, parsed), now) {
            Ok((mut call, headers, pieces)) => {
                call.chosen = wish.chosen.is_some().then(|| (*model).to_owned());
                return Ok((call, headers, pieces));
            }
            Err(error) => objection = objection.or(Some(error)),
        }
    }
    Err(objection.unwrap_or_else(|| wish.unserved(all)))
}

/// The same for one model.
fn call_on(
    route: &Route<'_>,
    (routes, parsed): (&Routes, &Parsed<'_>),
    now: SystemTime,
) -> Result<(Call, Headers, Pieces), Error> {
    let prepared = Prepared::new(routes, route, parsed)?;
    let (operation, timeout) = (
        prepared.operation(),
        prepared.timeout(route, &parsed.request),
    );
    let (call, mut headers, pieces) = prepared.sign(route, parsed, now)?;
    add_only_timeout(&mut headers, operation, timeout);
    Ok((call, headers, pieces))
}

/// An id that is fit for logs and headers: its beginning, with `_` for what is not printable ASCII without spaces.
fn fit_id(id: &[u8]) -> String {
    let fit = |byte: &u8| {
        if byte.is_ascii_graphic() {
            char::from(*byte)
        } else {
            '_'
        }
    };
    id.iter().take(MAX_ID).map(fit).collect()
}

/// What a request says in headers that its protocol reads; values that are not UTF-8 are ignored.
fn said(protocol: &dyn Protocol, headers: &Headers) -> Vec<(&'static str, String)> {
    let wanted = protocol.headers();
    let all = headers.0.iter().filter_map(|(name, value)| {
        let name = wanted.iter().find(|own| **own == *name)?;
        Some((*name, String::from_utf8(value.clone()).ok()?))
    });
    all.collect()
}

/// OpenAI's own words for an id that it does not know, and what to do without one.
fn not_stored(id: &str) -> Error {
    let message = format!(
        "Response with id '{id}' not found. This gateway does not store responses: keep what you were answered, send \
         the whole conversation in 'input' of POST /v1/responses, and close the connection to cancel an answer."
    );
    Error::new(StatusCode::NOT_FOUND, ErrorKind::InvalidRequest, message).code("not_found")
}
