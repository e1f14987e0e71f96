//! The first Command models: a prompt and its generations.

use serde_json::{Value, json};

use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::ask::{Ask, strings, words};
use crate::family::schema::{FILLED, FRACTION, MAY, MUST, Shape};
use crate::family::{Answer, Dialect, Overrides, digits, field, number, pieces};

pub(crate) struct CommandText;

const BODY: Shape = Shape::Object(&[
    ("prompt", MUST, FILLED),
    ("max_tokens", MAY, Shape::Integer(1, 4096)),
    ("temperature", MAY, Shape::Number(0.0, 5.0)),
    ("p", MAY, FRACTION),
    ("k", MAY, Shape::Integer(0, 500)),
    ("stop_sequences", MAY, Shape::List(0, usize::MAX, &FILLED)),
    (
        "return_likelihoods",
        MAY,
        Shape::OneOf(&["GENERATION", "ALL", "NONE"]),
    ),
    ("num_generations", MAY, Shape::Integer(1, 5)),
    ("stream", MAY, Shape::Boolean),
    ("logit_bias", MAY, Shape::Map(&Shape::Number(-10.0, 10.0))),
    ("truncate", MAY, Shape::OneOf(&["NONE", "START", "END"])),
]);

impl Dialect for CommandText {
    fn validate(&self, _model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let prompt = field(body, "prompt").unwrap_or_default();
        let ask = Ask {
            said: vec![prompt.to_owned()],
            max_tokens: number(body, "max_tokens"),
            stops: strings(body, "stop_sequences"),
            input_tokens: words(prompt),
            ..Ask::default()
        };
        let reply = ask.reply(overrides);
        let text = reply.text.as_deref().unwrap_or_default();
        let finish = reply.stop.word(["COMPLETE", "MAX_TOKENS", "COMPLETE"]);
        let id = digits(body);
        let piece = |text| json!({"text": text, "is_finished": false});
        let end = json!({"is_finished": true, "finish_reason": finish});
        Answer {
            body: json!({
                "id": id,
                "generations": [{"id": id, "text": text, "finish_reason": finish}],
                "prompt": prompt,
            }),
            events: pieces::of_text(text).map(piece).chain([end]).collect(),
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}
