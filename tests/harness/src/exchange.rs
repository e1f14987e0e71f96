//! Drives an [`Exchange`] as Envoy does.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bedrock_filter::call::Headers;
use bedrock_filter::config::PluginConfig;
use bedrock_filter::exchange::{Arrival, Body, Edit, Exchange, Step};
use bedrock_filter::routes::Routes;

/// The time of every test: 2026-01-15T12:34:56Z.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_480_496)
}

/// Compiles a plugin configuration.
pub fn routes(plugin_config: &str) -> Arc<Routes> {
    let config = PluginConfig::from_json(plugin_config.as_bytes()).unwrap();
    Arc::new(Routes::compile(config).unwrap())
}

/// Headers with these names and values.
pub fn headers(pairs: &[(&str, &str)]) -> Headers {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned().into(), value.as_bytes().to_vec()));
    Headers(owned.collect())
}

/// A message as it leaves the filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
}

/// Sends a chat request through an exchange: the upstream call, or the filter's own reply.
pub fn send(exchange: &mut Exchange, body: &[u8]) -> Result<Message, (u16, Vec<u8>)> {
    send_to(exchange, "/v1/chat/completions", body)
}

/// The same to another path.
pub fn send_to(
    exchange: &mut Exchange,
    path: &str,
    body: &[u8],
) -> Result<Message, (u16, Vec<u8>)> {
    send_as(exchange, (path, &[]), body)
}

/// The same with more headers.
pub fn send_as(
    exchange: &mut Exchange,
    (path, more): (&str, &[(&str, &str)]),
    body: &[u8],
) -> Result<Message, (u16, Vec<u8>)> {
    let mut request = headers(&[
        (":method", "POST"),
        (":path", path),
        (":authority", "gateway.example"),
        ("authorization", "Bearer client-key"),
        ("x-forwarded-proto", "http"),
    ]);
    request.0.extend(headers(more).0);
    if exchange.asks_who() {
        exchange.set_now(now());
    }
    exchange.set_clock(now);
    match exchange.request_headers(request, Arrival::Partial) {
        Step::Wait => {}
        Step::Reply(reply) => return Err((reply.status.as_u16(), reply.body)),
        other => panic!("unexpected step for the headers: {other:?}"),
    }
    match exchange.request_body(body.len(), Arrival::Complete, now(), &mut || body.to_vec()) {
        Step::Edit(edit) => Ok(message(edit)),
        Step::Reply(reply) => Err((reply.status.as_u16(), reply.body)),
        other => panic!("unexpected step for the body: {other:?}"),
    }
}

/// Sends an upstream answer, with its body cut at `cuts`, and returns what the client
/// receives.
///
/// Envoy keeps what a filter holds back, so a held piece arrives again with the next one.
pub fn answer(exchange: &mut Exchange, head: Headers, body: &[u8], cuts: &[usize]) -> Message {
    let mut seen = Message {
        headers: head.clone(),
        body: Vec::new(),
    };
    match exchange.response_headers(head, Arrival::of(body.is_empty())) {
        Step::Wait | Step::Pass => {}
        Step::Reply(reply) => {
            let status = reply.status.as_str();
            return Message {
                headers: headers(&[(":status", status), ("content-type", "application/json")]),
                body: reply.body,
            };
        }
        other => panic!("unexpected step for the headers: {other:?}"),
    }
    let (mut start, mut held) = (0, Vec::new());
    for end in cuts.iter().copied().chain([body.len()]) {
        held.extend_from_slice(&body[start..end]);
        start = end;
        let is_last = end == body.len();
        let buffered = held.clone();
        match exchange.response_body(buffered.len(), Arrival::of(is_last), &mut || {
            buffered.clone()
        }) {
            Step::Wait => continue,
            Step::Hold(Edit { body, .. }) => {
                held = body.map_or(held, Body::into_vec);
                continue;
            }
            Step::Pass => seen.body.append(&mut held),
            Step::Edit(Edit { headers, body }) | Step::Release(Edit { headers, body }) => {
                seen.headers = headers.unwrap_or(seen.headers);
                seen.body
                    .extend(body.map_or_else(|| held.clone(), Body::into_vec));
            }
            Step::Reply(reply) => {
                seen.headers = headers(&[(":status", reply.status.as_str())]);
                seen.headers.extend(&reply.headers);
                seen.headers.add("content-type", "application/json");
                seen.headers
                    .add("content-length", reply.body.len().to_string());
                seen.body = reply.body;
                break;
            }
        }
        held.clear();
        if is_last {
            break;
        }
    }
    seen
}

fn message(edit: Edit) -> Message {
    Message {
        headers: edit.headers.unwrap(),
        body: edit.body.unwrap().into_vec(),
    }
}
