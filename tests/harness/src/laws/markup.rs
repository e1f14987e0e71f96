//! The markup that open models write into their texts reads the same, whole and streamed.

use std::sync::Arc;

use bedrock_filter::exchange::Exchange;
use golden_cases::frames;
use serde_json::{Value, json};

use super::ROUTES;
use crate::{answer, headers, send};

/// A model for each markup that the filter knows, and one that it does not know.
pub const MODELS: [&str; 11] = [
    "deepseek-v3.2",
    "gemma-3-12b-it",
    "glm-4.7",
    "gpt-oss-120b",
    "kimi-k2-thinking",
    "llama3-3-70b-instruct",
    "minimax-m2.1",
    "devstral-2-123b",
    "nemotron-nano-9b",
    "opaque-openai_chat",
    "qwen3-coder-30b",
];

/// What the client learns from an answer.
#[derive(Debug, Default, PartialEq)]
struct Said {
    content: String,
    reasoning: String,
    calls: Vec<[String; 3]>,
    finish_reason: String,
}

/// A text means the same to the client as a whole and in pieces cut at these characters, and what is neither
/// reasoning nor a call is not lost.
pub fn markup_reading(text: &str, cuts: &[usize], model: &str, tools: bool) {
    let letters: Vec<char> = text.chars().collect();
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (letters.len() + 1)).collect();
    cuts.extend([0, letters.len()]);
    cuts.sort_unstable();
    let pieces = cuts
        .windows(2)
        .map(|ends| letters[ends[0]..ends[1]].iter().collect());
    let pieces: Vec<String> = pieces.collect();
    let whole = whole(text, model, tools);
    assert_eq!(streamed(&pieces, model, tools), whole, "{model} {pieces:?}");
    if is_chat(model) && !text.contains(['<', '[']) {
        assert_eq!(whole.content, text, "{model}");
    }
    for [_, name, arguments] in &whole.calls {
        assert!(
            tools && matches!(&**name, "now" | "get_weather"),
            "{whole:?}"
        );
        assert!(
            serde_json::from_str::<Value>(arguments)
                .unwrap()
                .is_object()
        );
    }
}

fn exchange(model: &str, stream: bool, tools: bool) -> Exchange {
    let mut request = json!({
        "model": model,
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": stream,
    });
    if tools && is_chat(model) {
        let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
        request["tools"] = json!([tool("get_weather"), tool("now")]);
    }
    let mut exchange = Exchange::new(Arc::clone(&ROUTES));
    send(&mut exchange, request.to_string().as_bytes()).unwrap();
    exchange
}

/// Whether its bodies are in OpenAI's format; the others here are prompts.
fn is_chat(model: &str) -> bool {
    !model.starts_with("llama")
}

fn whole(text: &str, model: &str, tools: bool) -> Said {
    let body = if is_chat(model) {
        json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})
    } else {
        json!({"generation": text, "stop_reason": "stop"})
    };
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    let mut exchange = exchange(model, false, tools);
    let reply = answer(&mut exchange, head, body.to_string().as_bytes(), &[]);
    let reply: Value = serde_json::from_slice(&reply.body).unwrap();
    let mut said = Said::default();
    said.add(&reply["choices"][0], "message");
    said
}

fn streamed(pieces: &[String], model: &str, tools: bool) -> Said {
    let event = |text: &str, reason: Value| {
        if is_chat(model) {
            json!({"choices": [{"delta": {"content": text}, "finish_reason": reason}]})
        } else {
            json!({"generation": text, "stop_reason": reason})
        }
    };
    let mut events: Vec<_> = pieces.iter().map(|text| event(text, Value::Null)).collect();
    events.push(event("", json!("stop")));
    let events: Vec<_> = events.iter().map(Value::to_string).collect();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
    ]);
    let mut exchange = exchange(model, true, tools);
    let reply = answer(&mut exchange, head, &frames(&events.join("\n")), &[]);
    let reply = String::from_utf8(reply.body).unwrap();
    let mut said = Said::default();
    for event in reply.split_terminator("\n\n") {
        if let Some(json) = event
            .strip_prefix("data: ")
            .filter(|json| *json != "[DONE]")
        {
            let event: Value = serde_json::from_str(json).unwrap();
            said.add(&event["choices"][0], "delta");
        }
    }
    said
}

impl Said {
    fn add(&mut self, choice: &Value, member: &str) {
        let message = &choice[member];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.content += &text(&message["content"]);
        self.reasoning += &text(&message["reasoning_content"]);
        self.finish_reason += &text(&choice["finish_reason"]);
        let calls = message["tool_calls"].as_array();
        for (at, call) in calls.into_iter().flatten().enumerate() {
            let at = call["index"]
                .as_u64()
                .map_or(at, |at| usize::try_from(at).unwrap());
            if self.calls.len() <= at {
                self.calls.resize_with(at + 1, Default::default);
            }
            let function = &call["function"];
            let members = [&call["id"], &function["name"], &function["arguments"]];
            for (own, new) in self.calls[at].iter_mut().zip(members) {
                *own += &text(new);
            }
        }
    }
}
