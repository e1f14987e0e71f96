//! The way up: from the client's request to a signed call.

use std::time::{SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode_str;

use super::api::Api;
use super::{Call, Edit, Exchange, Headers, Phase, ReadBody, Reply, Step};
use crate::bedrock::{self, Options, Target};
use crate::openai::{self, ChatRequest, Error, ErrorKind, StreamUsage, ToolStyle};
use crate::routes::{ResolveError, Route, Routes};
use crate::sign::Unsigned;

/// Header that names the Envoy cluster of a call, for a `cluster_header` route.
const CLUSTER_HEADER: &str = "x-bedrock-cluster";

/// Headers that Envoy itself needs after the filter: its router finds no route without the first,
/// its access log shows the second. Routes remove them before a call leaves.
const KEPT_HEADERS: [&str; 2] = ["x-forwarded-proto", "x-request-id"];

/// Start of the headers that steer routing; clients must not set them.
const OWN_PREFIX: &str = "x-bedrock-";

impl Exchange {
    /// Takes the request's headers; `end` when there is no body.
    pub fn request_headers(&mut self, headers: Headers, end: bool) -> Step {
        let path = headers.get_str(":path").unwrap_or_default();
        let Some(api) = Api::at(path) else {
            return self.not_ours(headers);
        };
        let method = headers.get_str(":method").unwrap_or_default();
        if method != api.method() {
            let message = format!(
                "Not allowed to {method} on this path; use {}.",
                api.method()
            );
            let error = Error::new(405, ErrorKind::InvalidRequest, message);
            return self.reply(&error.code("method_not_allowed"));
        }
        match api {
            Api::Models => self.reply_json(openai::model_list(self.routes.model_names())),
            Api::Model(name) => self.reply_model(name),
            Api::ChatCompletions => self.chat_headers(headers, end),
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
        match call(&self.routes, &read(), now) {
            Ok((call, mut edit)) => {
                if let Some(headers) = &mut edit.headers {
                    headers.0.extend(kept.0);
                }
                self.phase = Phase::Upstream(call);
                Step::Edit(edit)
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

    fn reply_json(&mut self, body: Vec<u8>) -> Step {
        self.phase = Phase::Done;
        Step::Reply(Reply {
            status: 200,
            headers: Headers::default(),
            body,
        })
    }

    fn reply_model(&mut self, name: &str) -> Step {
        let name = percent_decode_str(name).decode_utf8_lossy();
        if self.routes.model_names().contains(&*name) {
            return self.reply_json(openai::model(&name));
        }
        self.reply(&not_found(&ResolveError::NotFound(name.into_owned())))
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
            let error = Error::new(415, ErrorKind::InvalidRequest, message);
            return self.reply(&error.code("unsupported_content_encoding"));
        }
        if end {
            let message =
                "The request has no body; send a JSON object with 'model' and 'messages'.";
            return self.reply(&Error::new(400, ErrorKind::InvalidRequest, message));
        }
        let mut kept = headers;
        kept.remove(|name| !KEPT_HEADERS.contains(&name));
        self.phase = Phase::RequestBody { kept };
        Step::Wait
    }
}

/// Translates, routes and signs a request.
fn call(routes: &Routes, body: &[u8], now: SystemTime) -> Result<(Call, Edit), Error> {
    let request = ChatRequest::parse(body)?;
    let route = routes
        .resolve(&request.model)
        .map_err(|error| not_found(&error))?;
    let dialect = bedrock::choose(&route, &request)?;
    openai::check(&request, |param| dialect.treatment(param))?;
    let options = Options::of(&request, route.channel.channel.guardrail.as_ref())?;
    let target = Target {
        model: route.model,
        family: route.family,
        model_id: &route.model_id,
        options: &options,
    };
    let encoded = dialect.encode_request(&request, &target)?;
    let limit = routes.limits().max_request_bytes;
    // Envoy's buffer holds twice the limit, and overrunning it would end the VM.
    if encoded.body.len() > limit.saturating_mul(2) {
        return Err(too_large(limit));
    }
    let path = bedrock::path(&route.model_id, encoded.operation);
    let mut signed = vec![("content-type", "application/json".to_owned())];
    if encoded.operation.takes_option_headers() {
        signed.extend(options.invoke_headers());
    }
    let headers = signed_headers(&route, &path, &signed, &encoded.body, now)?;
    let call = Call {
        channel: route.channel.channel.name.clone(),
        model: request.model.to_string(),
        assumed_family: route.is_opaque().then_some(route.family),
        dialect,
        operation: encoded.operation,
        answer: encoded.answer,
        created: now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
        usage: if request.wants_usage() {
            StreamUsage::Included
        } else {
            StreamUsage::Omitted
        },
        tool_style: if request.functions.is_some() {
            ToolStyle::FunctionCall
        } else {
            ToolStyle::ToolCalls
        },
    };
    let edit = Edit {
        headers: Some(headers),
        body: Some(encoded.body),
    };
    Ok((call, edit))
}

/// The whole header map of a call: nothing of the client's headers goes upstream.
fn signed_headers(
    route: &Route<'_>,
    path: &str,
    own: &[(&'static str, String)],
    body: &[u8],
    now: SystemTime,
) -> Result<Headers, Error> {
    let channel = route.channel;
    let unsigned = Unsigned {
        authority: &channel.authority,
        path,
        headers: own,
        body,
    };
    let signature = channel.signer.sign(unsigned, now).map_err(|_| {
        Error::server(
            500,
            "signing_failed",
            "The gateway could not sign the request.",
        )
    })?;
    let mut headers = Headers::default();
    headers.add(":method", "POST");
    headers.add(":scheme", channel.endpoint.scheme());
    headers.add(":authority", channel.authority.as_str());
    headers.add(":path", path);
    for (name, value) in own {
        headers.add(name, value.as_str());
    }
    // Envoy does not correct the client's length, and surplus bytes would be a second request.
    headers.add("content-length", body.len().to_string());
    headers.add(CLUSTER_HEADER, channel.cluster.as_str());
    for (name, value) in signature {
        headers.add(name, value);
    }
    Ok(headers)
}

fn too_large(limit: usize) -> Error {
    let message = format!("The request is larger than the gateway's limit of {limit} bytes.");
    Error::new(413, ErrorKind::InvalidRequest, message).code("request_too_large")
}

fn not_found(error: &ResolveError) -> Error {
    Error::new(404, ErrorKind::InvalidRequest, error.to_string())
        .code("model_not_found")
        .param("model")
}
