//! AI21 Jamba: a chat body without tools.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jamba.html>

use serde_json::{Value, json};

use super::openai::{self, Content, Rules};
use super::schema::{FILLED, Key, MAY, MUST, Shape};
use super::{Answer, Dialect, Overrides, digits, number};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) struct Jamba;

const PENALTY: Shape = Shape::Number(-2.0, 2.0);
const FREQUENCY: Key = ("frequency_penalty", MAY, PENALTY);
const PRESENCE: Key = ("presence_penalty", MAY, PENALTY);
const MESSAGE: Shape = Shape::Object(&[
    ("role", MUST, Shape::OneOf(&["system", "user", "assistant"])),
    ("content", MUST, FILLED),
]);
const BODY: Shape = Shape::Object(&[
    ("messages", MUST, Shape::List(1, usize::MAX, &MESSAGE)),
    ("max_tokens", MAY, Shape::Integer(1, 4096)),
    ("temperature", MAY, Shape::Number(0.0, 2.0)),
    ("top_p", MAY, Shape::Number(0.01, 1.0)),
    (
        "stop",
        MAY,
        Shape::Either(&[FILLED, Shape::List(1, 64, &FILLED)]),
    ),
    ("n", MAY, Shape::Integer(1, 16)),
    FREQUENCY,
    PRESENCE,
]);
/// `additionalModelRequestFields` of Converse.
pub(crate) const ADDITIONAL: Shape = Shape::Object(&[FREQUENCY, PRESENCE]);

impl Dialect for Jamba {
    fn validate(&self, _model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)?;
        let rules = Rules {
            roles: &["system", "user", "assistant"],
            parts: Vec::new(),
            content: Content::Plain,
        };
        openai::check_messages(body, &rules)
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let reply = openai::ask(body).reply(overrides);
        let message = json!({"role": "assistant", "content": reply.text});
        let finish = reply.stop.word(["stop", "length", "stop"]);
        let id = format!("cmpl-{}", digits(body));
        let copies = number(body, "n").unwrap_or(1);
        let usage = json!({
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens * copies,
            "total_tokens": reply.input_tokens + reply.output_tokens * copies,
        });
        let choice =
            |index: u64| json!({"index": index, "message": message, "finish_reason": finish});
        let choices: Vec<Value> = (0..copies).map(choice).collect();
        let mut events = openai::chunks(&message, "finish_reason", finish);
        for event in &mut events {
            set(event, "id", json!(id));
        }
        if let Some(last) = events.last_mut() {
            set(last, "usage", usage.clone());
        }
        Answer {
            body: json!({"id": id, "choices": choices, "usage": usage}),
            events,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens * copies,
        }
    }
}

fn set(event: &mut Value, name: &str, value: Value) {
    if let Some(fields) = event.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
