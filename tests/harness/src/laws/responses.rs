//! The laws of OpenAI's Responses API.

use std::rc::Rc;

use bedrock_filter::bedrock::{Answer, ResponseStream, dialect};
use bedrock_filter::catalog::ModelFamily;
use bedrock_filter::chat::AnswerHead;
use bedrock_filter::protocol::openai_responses::Responses;
use bedrock_filter::protocol::{Protocol as _, Reply, Said};
use golden_cases::RESPONSES;
use serde_json::{Value, json};

use super::{frames, translated};

/// Any body for any model becomes a call with a JSON body, or a client error that says what is wrong.
pub fn responses_translation(body: &[u8], model: &str) {
    translated(RESPONSES, body, model);
}

/// Any events, one per line as in the golden files, give every family's client a valid stream of events, and any body
/// gives an answer with the same items as such a stream.
pub fn responses_stream(events: &[u8]) {
    for family in ModelFamily::ALL {
        for reply in [reply(true), reply(false)] {
            for bytes in [frames(events), events.to_vec()] {
                let decoder = dialect(*family).stream_decoder(Answer::default());
                let mut stream = ResponseStream::new(decoder, reply.stream(&AnswerHead::default()));
                let mut out = stream.push(&bytes);
                out.extend(stream.finish());
                check_events(std::str::from_utf8(&out).unwrap());
            }
            for body in events.split(|byte| *byte == b'\n').chain([events]) {
                let answer = Answer::default();
                if let Ok(mut completion) = dialect(*family).decode_response(body, &answer) {
                    completion.settle();
                    let body = reply.whole(&completion, &AnswerHead::default());
                    check_response(&serde_json::from_slice(&body).unwrap());
                }
            }
        }
    }
}

/// How a client wants its answer: with or without tools that have other names on the client's side.
fn reply(everything: bool) -> Rc<dyn Reply> {
    let tools = json!([
        {"type": "custom", "name": "get_weather"},
        {"type": "namespace", "name": "a", "tools": [{"type": "function", "name": "now"}]},
        {"type": "tool_search", "execution": "client"},
    ]);
    let body = if everything {
        json!({"model": "m", "input": "x", "reasoning": {"summary": "auto"}, "tools": tools})
    } else {
        json!({"model": "m", "input": "x"})
    };
    let body = body.to_string();
    Responses::Create
        .parse(body.as_bytes(), &Said::default())
        .unwrap()
        .reply
}

/// Events count from 0; items are opened and closed in their order; the last event is an end, with all items.
fn check_events(text: &str) {
    let mut done = Vec::new();
    let mut opened = 0;
    let mut last = Value::Null;
    for (number, event) in text.split_terminator("\n\n").enumerate() {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let event: Value = serde_json::from_str(data).unwrap();
        let kind = event["type"].as_str().unwrap();
        assert_eq!(name, format!("event: {kind}"), "{text}");
        assert_eq!(event["sequence_number"], json!(number), "{text}");
        match kind {
            "response.created" => assert_eq!(number, 0, "{text}"),
            "response.in_progress" => assert_eq!(number, 1, "{text}"),
            "response.output_item.added" => {
                assert_eq!(event["output_index"], json!(opened), "{text}");
                opened += 1;
            }
            "response.output_item.done" => {
                assert_eq!(event["output_index"], json!(done.len()), "{text}");
                done.push(event["item"].clone());
            }
            _ => {
                if let Some(index) = event["output_index"].as_u64() {
                    let open = done.len() as u64..opened;
                    assert!(open.contains(&index), "{index} is not open: {text}");
                }
            }
        }
        last = event;
    }
    let response = &last["response"];
    match last["type"].as_str().unwrap() {
        "response.failed" => assert!(response["error"]["message"].is_string(), "{text}"),
        "response.completed" | "response.incomplete" => {
            assert_eq!(opened, done.len() as u64, "{text}");
            assert_eq!(response["output"], json!(done), "{text}");
            check_response(response);
        }
        other => panic!("ends with {other}: {text}"),
    }
}

fn check_response(response: &Value) {
    let mut ids = Vec::new();
    for item in response["output"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        assert!(!ids.contains(&id), "{response}");
        ids.push(id);
        if item["type"] == "function_call" {
            assert!(item["arguments"].is_string(), "{response}");
        }
    }
    assert!(response["usage"]["total_tokens"].is_u64(), "{response}");
    assert_eq!(
        response["status"] == "incomplete",
        response["incomplete_details"].is_object(),
        "{response}"
    );
}
