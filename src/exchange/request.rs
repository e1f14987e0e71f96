//! The way up: from the client's request to a signed call.

use std::time::SystemTime;

use http::header::ALLOW;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::{Body, Edit, Exchange, Head, Phase, ReadBody, Reply, Step};
use crate::call::{Call, Headers, Prepared, add_timeout, response_timeout, too_large, unserved};
use crate::chat::{Error, ErrorKind};
use crate::json::Pieces;
use crate::protocol::{self, ClientPath, Protocol, Served};
use crate::relay::overloaded;
use crate::routes::Routes;

/// Headers that Envoy itself needs after the filter: its router finds no route without the first,
/// its access log shows the second. Routes remove them before a call leaves.
const KEPT_HEADERS: [&str; 2] = ["x-forwarded-proto", "x-request-id"];

/// Start of the headers that steer routing; clients must not set them.
const OWN_PREFIX: &str = "x-bedrock-";

impl Exchange {
    /// Takes the request's headers; `end` when there is no body.
    pub fn request_headers(&mut self, headers: Headers, end: bool) -> Step {
        let path = headers.get(":path");
        let path = path.and_then(|path| PathAndQuery::try_from(path).ok());
        let served = Served {
            anthropic_messages: self.routes.serves_anthropic_messages(),
        };
        let own = path.as_ref();
        let Some(api) = own.and_then(|path| ClientPath::at(path, served)) else {
            return match own.filter(|path| ClientPath::is_below(path, served)) {
                Some(path) => self.reply(&no_such_path(path, served)),
                None => self.not_ours(headers),
            };
        };
        if let ClientPath::Chat(protocol) = api {
            self.protocol = protocol;
        }
        let method = headers.get_str(":method").unwrap_or_default();
        if api.method() != method {
            return self.not_allowed(method, &api.method());
        }
        match api {
            ClientPath::Models => self.reply_json(protocol::model_list(self.routes.model_names())),
            ClientPath::Model(name) => self.reply_model(name),
            ClientPath::Chat(_) => self.chat_headers(headers, end),
        }
    }

    /// Takes a piece of the request's body; `buffered` counts all that Envoy holds, in bytes.
    pub fn request_body(
        &mut self,
        buffered: usize,
        end: bool,
        now: SystemTime,
        read: ReadBody<'_>,
    ) -> Step {
        if !matches!(self.phase, Phase::RequestBody { .. }) {
            return Step::Pass;
        }
        let limit = self.routes.limits().max_request_bytes;
        if buffered > limit {
            return self.reply(&too_large(limit));
        }
        if !end {
            return Step::Wait;
        }
        let Phase::RequestBody { kept } = self.take_phase() else {
            return Step::Pass;
        };
        let dispatcher = self.dispatcher.clone();
        if let Some(dispatcher) = dispatcher.filter(|own| own.reaches_pools(now)) {
            return self.start_relay(&dispatcher, kept, now, (buffered, read));
        }
        let body = read();
        match call(&self.routes, self.protocol, &body, now) {
            Ok((call, mut headers, pieces)) => {
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

    /// A path of somebody else's passes, but not with headers that steer our routes.
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

    /// RFC 9110 wants to hear which method would be: <https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6>.
    fn not_allowed(&mut self, method: &str, allowed: &Method) -> Step {
        self.phase = Phase::Done;
        let message = format!("Not allowed to {method} on this path; use {allowed}.");
        let error = Error::new(
            StatusCode::METHOD_NOT_ALLOWED,
            ErrorKind::InvalidRequest,
            message,
        );
        let mut reply = Reply::error(self.protocol, &error.code("method_not_allowed"));
        if let Ok(allowed) = HeaderValue::from_str(allowed.as_str()) {
            reply.headers.push((ALLOW, allowed));
        }
        Step::Reply(reply)
    }

    fn reply_json(&mut self, body: Vec<u8>) -> Step {
        self.phase = Phase::Done;
        Step::Reply(Reply {
            status: StatusCode::OK,
            headers: Vec::new(),
            body,
        })
    }

    fn reply_model(&mut self, name: &str) -> Step {
        let name = percent_decode_str(name).decode_utf8_lossy();
        let refusal = self.routes.find(&name).err();
        match refusal {
            None => self.reply_json(protocol::model(&name)),
            Some(reason) => self.reply(&Error::model_not_found(&reason)),
        }
    }

    fn chat_headers(&mut self, headers: Headers, end: bool) -> Step {
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
        if end {
            let message =
                "The request has no body; send a JSON object with 'model' and 'messages'.";
            return self.reply(&Error::new(
                StatusCode::BAD_REQUEST,
                ErrorKind::InvalidRequest,
                message,
            ));
        }
        let mut kept = headers;
        kept.remove(|name| !KEPT_HEADERS.contains(&name));
        self.phase = Phase::RequestBody { kept };
        Step::Wait
    }
}

impl Head {
    /// Why Envoy ended a request before all of it had arrived, when nothing was sent to Bedrock yet.
    pub(super) fn refusal(&self) -> Error {
        let invalid = |status, message| Error::new(status, ErrorKind::InvalidRequest, message);
        match self.status {
            StatusCode::REQUEST_TIMEOUT => {
                let message = "The request did not arrive in time; send it again.";
                invalid(self.status, message).code("request_timeout")
            }
            StatusCode::PAYLOAD_TOO_LARGE => self.error(b"", None),
            status if status.is_client_error() => {
                let message = "The request's body cannot be read: it is malformed, or broke off. \
                               Nothing was sent to the model.";
                invalid(StatusCode::BAD_REQUEST, message).code("invalid_request")
            }
            // Envoy ends requests that are still arriving when it runs out of memory.
            StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE => {
                overloaded("The gateway has no memory left for the request, please retry.")
            }
            _ => self.error(b"", None),
        }
    }
}

/// Translates, routes and signs a request.
fn call(
    routes: &Routes,
    protocol: &dyn Protocol,
    body: &[u8],
    now: SystemTime,
) -> Result<(Call, Headers, Pieces), Error> {
    let parsed = protocol.parse(body)?;
    let request = &parsed.request;
    let route = routes
        .resolve(&request.model, now)
        .map_err(|error| unserved(&error))?;
    let prepared = Prepared::new(routes, &route, request)?;
    let (call, mut headers, pieces) = prepared.sign(&route, &parsed, now)?;
    add_timeout(&mut headers, response_timeout(&route, request));
    Ok((call, headers, pieces))
}

/// What a vendor's own API answers too where it has nothing.
fn no_such_path(path: &PathAndQuery, served: Served) -> Error {
    let all = ClientPath::all(served);
    let mut message = format!(
        "There is nothing at {} on this gateway, which serves {all}.",
        path.path()
    );
    if path.path().ends_with('/') {
        message.push_str(" Leave out the slash at the end.");
    }
    Error::new(StatusCode::NOT_FOUND, ErrorKind::InvalidRequest, message).code("not_found")
}
