//! The chat body of Mistral Large (24.07) and Pixtral Large.

use serde_json::{Value, json};

use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::openai::{self, Content, Rules, TOOL, TOOL_CALL};
use crate::family::schema::{COUNT, FILLED, FRACTION, MAY, MUST, Shape, TEXT};
use crate::family::{Answer, Dialect, Overrides, number};

pub(crate) struct MistralChat;

const MANY: usize = usize::MAX;
const PART: Shape = Shape::Object(&[
    ("type", MUST, Shape::OneOf(&["text", "image_url"])),
    ("text", MAY, TEXT),
    ("image_url", MAY, Shape::Object(&[("url", MUST, FILLED)])),
]);
const MESSAGE: Shape = Shape::Object(&[
    (
        "role",
        MUST,
        Shape::OneOf(&["system", "user", "assistant", "tool"]),
    ),
    (
        "content",
        MAY,
        Shape::Either(&[TEXT, Shape::List(1, MANY, &PART), Shape::Null]),
    ),
    ("tool_calls", MAY, Shape::List(1, MANY, &TOOL_CALL)),
    ("tool_call_id", MAY, FILLED),
]);
const BODY: Shape = Shape::Object(&[
    ("messages", MUST, Shape::List(1, MANY, &MESSAGE)),
    ("tools", MAY, Shape::List(1, MANY, &TOOL)),
    ("tool_choice", MAY, Shape::OneOf(&["auto", "any", "none"])),
    ("max_tokens", MAY, COUNT),
    ("temperature", MAY, FRACTION),
    ("top_p", MAY, FRACTION),
]);

impl Dialect for MistralChat {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)?;
        if number(body, "max_tokens").is_some_and(|asked| asked > model.max_tokens) {
            let most = model.max_tokens;
            let text =
                format!("The maximum tokens you requested exceeds the model limit of {most}.");
            return Err(AwsError::validation(text));
        }
        let rules = Rules {
            roles: &["system", "user", "assistant", "tool"],
            parts: match model.can("image") {
                true => vec!["image_url"],
                false => Vec::new(),
            },
            content: Content::Parts,
        };
        openai::check_messages(body, &rules)?;
        openai::check_choice(body)
    }

    fn answer(&self, model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let reply = openai::ask(body).reply(overrides);
        // Ids are nine characters here.
        let calls = openai::tool_calls(&reply, |number, _| format!("c{number:08}"));
        let mut message =
            json!({"role": "assistant", "content": reply.text.as_deref().unwrap_or_default()});
        if let (false, Some(fields)) = (calls.is_empty(), message.as_object_mut()) {
            fields.insert("tool_calls".to_owned(), json!(calls));
        }
        let stop = reply.stop.word(["stop", "length", "tool_calls"]);
        let mut events = openai::chunks(&message, "stop_reason", stop);
        if model.id.contains("pixtral") {
            events.iter_mut().for_each(as_message);
        }
        Answer {
            body: json!({"choices": [{"index": 0, "message": message, "stop_reason": stop}]}),
            events,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}

/// Pieces are called `message` as well as `delta`.
fn as_message(event: &mut Value) {
    let choice = event
        .pointer_mut("/choices/0")
        .and_then(Value::as_object_mut);
    if let Some(choice) = choice
        && let Some(delta) = choice.remove("delta")
    {
        choice.insert("message".to_owned(), delta);
    }
}
