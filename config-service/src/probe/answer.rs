//! What a client would make of Bedrock's answer.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::StatusCode;
use bedrock_filter::bedrock::decode_error;
use bedrock_filter::call::Headers;
use bedrock_filter::exchange::{Arrival, Step};
use bedrock_filter::routes::Routes;
use serde_json::Value;

use super::failure::Failure;
use super::remedy;
use super::stage::Stepped;
use crate::call::{Ask, Call, Refusal};

/// How many characters of an answer to show.
const SHOWN: usize = 200;

pub(super) fn judge(status: StatusCode, error_type: Option<&str>, body: &[u8]) -> Stepped<()> {
    if status == StatusCode::OK {
        return Ok(((), "HTTP 200".to_owned()));
    }
    let error = decode_error(status, error_type, body);
    // What the client would see, with account numbers and the like redacted.
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
    request: Ask<'_>,
    (head, body): (Headers, &[u8]),
) -> Stepped<Vec<u8>> {
    // The exchange that made the call was dropped when the call went out.
    let begun = Call::begin(routes, None, request, SystemTime::now());
    let (_, mut exchange) = begun.map_err(Failure::Unreadable)?;
    let mut step = exchange.response_headers(head, Arrival::of(body.is_empty()));
    if step == Step::Wait {
        step = exchange.response_body(body.len(), Arrival::Complete, &mut || body.to_vec());
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
                200 if is_stream(&body) && !is_done(&body) => Err(broken_off(&body)),
                200 => Ok((body, "the answer was understood".to_owned())),
                _ => Err(failed(status, &body)),
            }
        }
        Step::Reply(reply) => Err(failed(reply.status.as_u16(), &reply.body)),
        _ => Err(failed(502, b"")),
    }
}

/// What the last event of a stream is, by what clients speak.
const LAST: [&[u8]; 4] = [
    b"data: [DONE]",
    b"event: message_stop",
    b"event: response.completed",
    b"event: response.incomplete",
];

/// Whether an answer is a stream of the client's.
fn is_stream(body: &[u8]) -> bool {
    body.starts_with(b"data: ") || body.starts_with(b"event: ")
}

/// Whether a stream of the client's came to its proper end.
fn is_done(stream: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stream.trim_ascii_end());
    let last = text.rsplit("\n\n").next().unwrap_or_default();
    LAST.iter().any(|own| last.as_bytes().starts_with(own))
}

/// The error in a stream that broke off.
fn broken_off(stream: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(stream);
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let error = events
        .map(|event| Refusal::new(200, event.as_bytes()))
        .find(|refusal| !refusal.error.is_null());
    let reason = error.map_or_else(|| "it has no end".to_owned(), |error| error.message());
    Failure::Stream(reason)
}

/// Where an answer has text: in the lists of parts of whole answers, and in the events of a stream.
const PARTS: [&str; 2] = ["/content", "/output"];
const TEXTS: [&str; 3] = [
    "/choices/0/message/content",
    "/choices/0/delta/content",
    "/delta/text",
];

/// Where it has its usage.
const USAGES: [&str; 3] = ["/usage", "/message/usage", "/response/usage"];

/// The start of the answer's text, and its usage, from a whole answer or a stream of events.
pub(super) fn shown(body: &[u8]) -> (Option<String>, Option<Value>) {
    let text = String::from_utf8_lossy(body);
    let mut answer = String::new();
    let mut usage = None;
    for line in text.lines() {
        let document = line.strip_prefix("data: ").unwrap_or(line);
        let Ok(document) = serde_json::from_str::<Value>(document) else {
            continue;
        };
        answer.push_str(&said(&document));
        let counts = USAGES.iter().filter_map(|place| document.pointer(place));
        let mut counts = counts.filter(|own| own.is_object());
        usage = counts.next().cloned().or(usage);
    }
    let start: String = answer.chars().take(SHOWN).collect();
    ((!start.is_empty()).then_some(start), usage)
}

/// What a whole answer, or one event of a stream, has of the answer's text.
fn said(document: &Value) -> String {
    let at = |place: &str| document.pointer(place).and_then(Value::as_str);
    let mut said: String = TEXTS.iter().filter_map(|place| at(place)).collect();
    if at("/type") == Some("response.output_text.delta") {
        said.push_str(at("/delta").unwrap_or_default());
    }
    let parts = PARTS
        .iter()
        .filter_map(|place| document.pointer(place)?.as_array());
    said.extend(parts.flatten().map(of_part));
    said
}

/// The text of a part of an answer: its own, or that of the parts of a message. A thought is no text.
fn of_part(part: &Value) -> String {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "text" | "output_text" => {
            let text = part.get("text").and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        }
        "message" => {
            let parts = part.get("content").and_then(Value::as_array);
            parts.into_iter().flatten().map(of_part).collect()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(body: &str, text: &str, usage: &Value) {
        let (answer, told) = shown(body.as_bytes());
        assert_eq!(answer.as_deref(), Some(text), "{body}");
        assert_eq!(told.as_ref(), Some(usage), "{body}");
    }

    #[test]
    fn the_answer_is_found_whatever_is_spoken() {
        let usage = json!({"input_tokens": 1, "output_tokens": 2});
        let thought = json!({"type": "thinking", "thinking": "No.", "signature": "x"});
        let said = json!({"type": "text", "text": "Yes."});
        let whole = json!({"content": [thought, said], "usage": usage});
        check(&whole.to_string(), "Yes.", &usage);
        let thought =
            json!({"type": "reasoning", "content": [{"type": "reasoning_text", "text": "No."}]});
        let said = json!({"type": "message", "content": [{"type": "output_text", "text": "Yes."}]});
        let whole = json!({"output": [thought, said], "usage": usage});
        check(&whole.to_string(), "Yes.", &usage);
        let chat = json!({"choices": [{"message": {"content": "Yes."}}], "usage": usage});
        check(&chat.to_string(), "Yes.", &usage);
    }

    #[test]
    fn a_stream_is_read_event_by_event() {
        let usage = json!({"input_tokens": 1, "output_tokens": 2});
        let stream = |events: &[Value]| -> String {
            let events = events.iter();
            events.map(|event| format!("data: {event}\n\n")).collect()
        };
        let responses = [
            json!({"type": "response.created", "response": {"output": [], "usage": null}}),
            json!({"type": "response.reasoning_text.delta", "delta": "No."}),
            json!({"type": "response.output_text.delta", "delta": "Ye"}),
            json!({"type": "response.output_text.delta", "delta": "s."}),
            json!({"type": "response.output_text.done", "text": "Yes."}),
            json!({"type": "response.completed", "response": {"output": [
                {"type": "message", "content": [{"type": "output_text", "text": "Yes."}]},
            ], "usage": usage}}),
        ];
        check(&stream(&responses), "Yes.", &usage);
        let messages = [
            json!({"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 1}}}),
            json!({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "No."}}),
            json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Yes."}}),
            json!({"type": "message_delta", "usage": usage}),
        ];
        check(&stream(&messages), "Yes.", &usage);
        let chat = [
            json!({"choices": [{"delta": {"content": "Yes."}}], "usage": null}),
            json!({"choices": [], "usage": usage}),
        ];
        check(&stream(&chat), "Yes.", &usage);
    }
}
