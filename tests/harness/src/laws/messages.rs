//! The laws of Anthropic's Messages API.

use std::rc::Rc;

use bedrock_filter::bedrock::{Answer, ResponseStream, dialect};
use bedrock_filter::catalog::ModelFamily;
use bedrock_filter::chat::AnswerHead;
use bedrock_filter::passthrough::{self, Stream};
use bedrock_filter::protocol::anthropic_messages::Messages;
use bedrock_filter::protocol::{Protocol as _, Reply, Said};
use golden_cases::MESSAGES;
use serde_json::{Value, json};

use super::{frames, translated};

/// Any body for any model becomes a call with a JSON body, or a client error that says what is wrong.
pub fn messages_translation(body: &[u8], model: &str) {
    translated(MESSAGES, body, model);
}

/// Any events, one per line as in the golden files, give every family's client a valid stream of events, and any body
/// that can be read gives a valid message.
pub fn messages_stream(events: &[u8]) {
    let reply = reply();
    for family in ModelFamily::ALL {
        for bytes in [frames(events), events.to_vec()] {
            let decoder = dialect(*family).stream_decoder(Answer::default());
            let stream = reply.stream(&AnswerHead::default());
            let mut stream = ResponseStream::new(decoder, stream);
            let mut out = stream.push(&bytes);
            out.extend(stream.finish());
            check_events(std::str::from_utf8(&out).unwrap());
        }
        for body in events.split(|byte| *byte == b'\n').chain([events]) {
            let answer = Answer::default();
            if let Ok(mut completion) = dialect(*family).decode_response(body, &answer) {
                completion.settle();
                let body = reply.whole(&completion, &AnswerHead::default());
                check_message(&serde_json::from_slice(&body).unwrap());
            }
        }
    }
}

/// Any events, and any body, of a model that speaks the client's own format reach the client as JSON, without anything
/// that Bedrock adds; a stream has an end.
pub fn messages_passthrough(events: &[u8]) {
    for bytes in [frames(events), events.to_vec()] {
        let mut stream = ResponseStream::of(Box::new(Stream::new("m")));
        let mut out = stream.push(&bytes);
        out.extend(stream.finish());
        let text = std::str::from_utf8(&out).unwrap();
        let last = parsed(text).pop();
        let kind = last.as_ref().and_then(|event| event["type"].as_str());
        assert!(matches!(kind, Some("message_stop" | "error")), "{text}");
    }
    for body in events.split(|byte| *byte == b'\n').chain([events]) {
        if let Ok(answer) = passthrough::whole(body, "m") {
            let message: Value = serde_json::from_slice(&answer.body).unwrap();
            let mut names = message.as_object().unwrap().keys();
            assert!(
                !names.any(|name| name.starts_with("amazon-bedrock-")),
                "{message}"
            );
            assert_eq!(message["type"], "message", "{message}");
        }
    }
}

/// How a client wants its answer.
fn reply() -> Rc<dyn Reply> {
    let body = json!({
        "model": "m", "max_tokens": 1, "stop_sequences": ["x"],
        "messages": [{"role": "user", "content": "x"}],
    });
    let body = body.to_string();
    let parsed = Messages::Create.parse(body.as_bytes(), &Said::default());
    parsed.unwrap().reply
}

/// The events of a stream, each of which has its own name.
fn parsed(text: &str) -> Vec<Value> {
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let event: Value = serde_json::from_str(data).unwrap();
        if let Some(kind) = event["type"].as_str() {
            assert_eq!(name, format!("event: {kind}"), "{text}");
        }
        event
    });
    events.collect()
}

/// A message begins once; its blocks count from 0 and do not mix; the input of a call is an object, unless the answer
/// was cut off; the last event is an end.
fn check_events(text: &str) {
    let events = parsed(text);
    let (mut open, mut blocks) = (None, 0_u64);
    let (mut input, mut inputs) = (String::new(), Vec::new());
    for (number, event) in events.iter().enumerate() {
        let kind = event["type"].as_str().unwrap();
        let index = event["index"].as_u64();
        match kind {
            "message_start" => assert_eq!(number, 0, "{text}"),
            "ping" => assert_eq!(number, 1, "{text}"),
            "content_block_start" => {
                assert_eq!((open, index), (None, Some(blocks)), "{text}");
                open = index;
                blocks += 1;
            }
            "content_block_delta" => {
                assert_eq!(open, index, "{text}");
                input += event["delta"]["partial_json"].as_str().unwrap_or_default();
            }
            "content_block_stop" => {
                assert_eq!(open.take(), index, "{text}");
                inputs.push(std::mem::take(&mut input));
            }
            "message_delta" => check_ending(&event["delta"], text),
            "message_stop" | "error" => assert_eq!(number + 1, events.len(), "{text}"),
            other => panic!("there is a {other}: {text}"),
        }
    }
    let last = events.last().unwrap();
    if last["type"] == "error" {
        assert!(last["error"]["message"].is_string(), "{text}");
        return;
    }
    assert_eq!(
        (&last["type"], open),
        (&json!("message_stop"), None),
        "{text}"
    );
    for input in inputs.iter().filter(|input| !input.is_empty()) {
        assert!(input.trim_start().starts_with('{'), "{text}");
    }
}

fn check_ending(own: &Value, text: &str) {
    let reason = own["stop_reason"].as_str();
    assert!(reason.is_some(), "{text}");
    let names_text = own["stop_sequence"].is_string();
    assert!(!names_text || reason == Some("stop_sequence"), "{text}");
}

fn check_message(message: &Value) {
    let text = message.to_string();
    check_ending(message, &text);
    for block in message["content"].as_array().unwrap() {
        if block["type"] == "tool_use" {
            assert!(block["input"].is_object(), "{text}");
        }
    }
    assert!(message["usage"]["output_tokens"].is_u64(), "{text}");
}
