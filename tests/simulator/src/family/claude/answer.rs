//! The answer in its non-streaming form.

use serde_json::{Value, json};

use super::ask::ask;
use super::generation::Generation;
use super::{stream, thinking};
use crate::catalog::Model;
use crate::family::reply::{Reply, Stop};
use crate::family::{Answer, Overrides, digits};

pub(super) fn answer(model: &Model, body: &Value, overrides: &Overrides) -> Answer {
    let generation = Generation::of(&model.id);
    let reply = ask(body, generation).reply(overrides);
    let sequence = match &reply.stop {
        Stop::Sequence(text) => Some(text),
        _ => None,
    };
    let mut message = json!({
        "id": format!("msg_bdrk_{}", digits(body)),
        "type": "message",
        "role": "assistant",
        "model": generation.public_name(),
        "content": content(&reply, body, generation),
        "stop_reason": match sequence {
            Some(_) => "stop_sequence",
            None => reply.stop.word(["end_turn", "max_tokens", "tool_use"]),
        },
        "stop_sequence": sequence,
        "usage": {
            "input_tokens": reply.input_tokens,
            "cache_creation_input_tokens": overrides.cache_write,
            "cache_read_input_tokens": overrides.cache_read,
            "output_tokens": reply.output_tokens,
        },
    });
    if reply.reasoning.is_some()
        && let Some(usage) = message.get_mut("usage").and_then(Value::as_object_mut)
    {
        let details = json!({"thinking_tokens": reply.reasoning_tokens});
        usage.insert("output_tokens_details".to_owned(), details);
    }
    Answer {
        events: stream::events(&message),
        body: message,
        input_tokens: reply.input_tokens,
        output_tokens: reply.output_tokens,
    }
}

fn content(reply: &Reply, body: &Value, generation: Generation<'_>) -> Vec<Value> {
    let display = thinking::display(body, generation);
    let thought = reply.reasoning.as_deref().zip(display);
    let thought = thought.map(|(thought, display)| thinking::block(thought, display));
    let text = reply.text.iter();
    let text = text.map(|text| json!({"type": "text", "text": text}));
    let calls = reply.calls.iter().map(|call| {
        let id = format!("toolu_bdrk_{:024}", call.number);
        json!({"type": "tool_use", "id": id, "name": call.name, "input": call.input})
    });
    thought.into_iter().chain(text).chain(calls).collect()
}
