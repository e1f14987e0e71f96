//! What an answer of Bedrock's is worth to a client.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::StatusCode;
use bedrock_filter::bedrock::decode_error;
use bedrock_filter::call::Headers;
use bedrock_filter::exchange::Step;
use bedrock_filter::routes::Routes;

use super::failure::Failure;
use super::remedy;
use super::stage::Stepped;
use crate::call::{Call, Refusal};

/// How much of an answer is shown, in characters.
const SHOWN: usize = 200;

pub(super) fn judge(status: StatusCode, error_type: Option<&str>, body: &[u8]) -> Stepped<()> {
    if status == StatusCode::OK {
        return Ok(((), "HTTP 200".to_owned()));
    }
    let error = decode_error(status, error_type, body);
    // What the client would see: account numbers and the like are redacted in it.
    let said = error.reply().message;
    let remedy = remedy::of_status(status, &error.exception, &error.message);
    Err(Failure::Bedrock {
        status,
        exception: error.exception,
        message: said,
        remedy,
    })
}

/// What the client would get.
pub(super) fn decode(
    routes: Arc<Routes>,
    request: &[u8],
    (head, body): (Headers, &[u8]),
) -> Stepped<Vec<u8>> {
    // The exchange that made the call was left behind when the call went out.
    let begun = Call::begin(routes, request, SystemTime::now());
    let (_, mut exchange) = begun.map_err(Failure::Unreadable)?;
    let mut step = exchange.response_headers(head, body.is_empty());
    if step == Step::Wait {
        step = exchange.response_body(body.len(), true, &mut || body.to_vec());
    }
    let failed = |status, body: &[u8]| {
        let message = Refusal::new(status, body).message();
        Failure::Answer { status, message }
    };
    match step {
        Step::Edit(edit) => {
            let status = edit.headers.as_ref().and_then(|own| own.get_str(":status"));
            let status = status.and_then(|own| own.parse().ok()).unwrap_or(502);
            let body = edit.body.unwrap_or_default().into_vec();
            match status {
                200 if body.is_empty() => Err(failed(502, &body)),
                200 if body.starts_with(b"data: ") && !is_done(&body) => Err(broken_off(&body)),
                200 => Ok((body, "the answer was understood".to_owned())),
                _ => Err(failed(status, &body)),
            }
        }
        Step::Reply(reply) => Err(failed(reply.status.as_u16(), &reply.body)),
        Step::Pass | Step::Wait => Err(failed(502, b"")),
    }
}

/// Whether a stream of the client's came to its proper end.
fn is_done(stream: &[u8]) -> bool {
    stream.trim_ascii_end().ends_with(b"data: [DONE]")
}

/// What a stream that broke off says for itself.
fn broken_off(stream: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(stream);
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let error = events
        .map(|event| Refusal::new(200, event.as_bytes()))
        .find(|refusal| !refusal.error.is_null());
    let reason = error.map_or_else(|| "it has no end".to_owned(), |error| error.message());
    Failure::Stream(reason)
}

/// The start of the answer's text, and its usage, from a completion or a stream of chunks.
pub(super) fn shown(body: &[u8]) -> (Option<String>, Option<serde_json::Value>) {
    let text = String::from_utf8_lossy(body);
    let mut answer = String::new();
    let mut usage = None;
    for line in text.lines() {
        let document = line.strip_prefix("data: ").unwrap_or(line);
        let Ok(document) = serde_json::from_str::<serde_json::Value>(document) else {
            continue;
        };
        for place in ["message", "delta"] {
            let text = document.pointer(&format!("/choices/0/{place}/content"));
            answer.push_str(text.and_then(serde_json::Value::as_str).unwrap_or_default());
        }
        usage = document
            .get("usage")
            .filter(|own| !own.is_null())
            .cloned()
            .or(usage);
    }
    let start: String = answer.chars().take(SHOWN).collect();
    ((!start.is_empty()).then_some(start), usage)
}
