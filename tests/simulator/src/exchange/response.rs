//! Answers as HTTP responses.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::Accepted;
use crate::error::AwsError;
use crate::family::Answer;
use crate::fault::{Effect, Fault};
use crate::listener::Cut;
use crate::{delivery, event_stream};

/// The answer in place of the normal one, if a fault is of that kind.
pub(super) fn instead(effect: &Effect, cut: &Cut) -> Option<Response> {
    match effect {
        Effect::Error {
            status,
            name,
            message,
            headers,
        } => {
            let mut response = AwsError::new(*status, name, message).into_response();
            extend(response.headers_mut(), headers);
            Some(response)
        }
        Effect::Raw {
            status,
            headers,
            body,
        } => Some(raw(*status, headers, Body::from(body.clone()))),
        Effect::UnknownOperation => Some(unknown_operation()),
        Effect::Close => {
            cut.now();
            None
        }
        _ => None,
    }
}

pub(super) fn raw(status: u16, headers: &BTreeMap<String, String>, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    extend(response.headers_mut(), headers);
    response
}

pub(super) fn whole(answer: &Answer, fault: &Fault) -> Response {
    let body = delivery::whole(answer.body.to_string(), &fault.effect, fault.pace);
    let mut response = Response::new(body);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

pub(super) fn plain(answer: &Answer, accepted: &Accepted<'_>, fault: &Fault) -> Response {
    let mut response = whole(answer, fault);
    let headers = response.headers_mut();
    for (name, count) in [
        ("x-amzn-bedrock-input-token-count", answer.input_tokens),
        ("x-amzn-bedrock-output-token-count", answer.output_tokens),
        ("x-amzn-bedrock-invocation-latency", 100),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(count));
    }
    if let Effect::CachedTokens { read, write } = fault.effect {
        headers.insert("x-amzn-bedrock-cache-read-input-token-count", read.into());
        headers.insert("x-amzn-bedrock-cache-write-input-token-count", write.into());
    }
    accepted.controls.echo(headers);
    response
}

pub(super) fn streamed(answer: &Answer, accepted: &Accepted<'_>, fault: &Fault) -> Response {
    let encoder = match accepted.operation.converses() {
        true => event_stream::named,
        false => event_stream::chunk,
    };
    let body = delivery::events(
        &answer.events,
        encoder,
        (&fault.effect, fault.pace),
        accepted.released.clone(),
    );
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.amazon.eventstream"),
    );
    if !accepted.operation.converses() {
        headers.insert(
            "x-amzn-bedrock-content-type",
            HeaderValue::from_static("application/json"),
        );
        accepted.controls.echo(headers);
    }
    response
}

/// A path that belongs to no operation is answered with HTTP 200:
/// <https://github.com/BerriAI/litellm/issues/3805>.
pub(super) fn unknown_operation() -> Response {
    let body = json!({
        "Output": { "__type": "com.amazon.coral.service#UnknownOperationException" },
        "Version": "1.0",
    });
    let mut response = Response::new(Body::from(body.to_string()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

pub(super) fn extend(target: &mut HeaderMap, headers: &BTreeMap<String, String>) {
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            target.insert(name, value);
        }
    }
}
