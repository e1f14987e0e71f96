//! AI21 Jurassic-2: a prompt and its completions.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jurassic2.html>

use serde_json::{Value, json};

use super::ask::{Ask, strings, words};
use super::schema::{FILLED, FRACTION, MAY, MUST, Shape};
use super::{Answer, Dialect, Overrides, field, number, pieces};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) struct J2;

const BODY: Shape = Shape::Object(&[
    ("prompt", MUST, FILLED),
    ("maxTokens", MAY, Shape::Integer(1, 8191)),
    ("temperature", MAY, FRACTION),
    ("topP", MAY, FRACTION),
    ("stopSequences", MAY, Shape::List(0, usize::MAX, &FILLED)),
    ("countPenalty", MAY, Shape::Json),
    ("presencePenalty", MAY, Shape::Json),
    ("frequencyPenalty", MAY, Shape::Json),
]);

impl Dialect for J2 {
    fn validate(&self, _model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let prompt = field(body, "prompt").unwrap_or_default();
        let ask = Ask {
            said: vec![prompt.to_owned()],
            max_tokens: number(body, "maxTokens"),
            stops: strings(body, "stopSequences"),
            input_tokens: words(prompt),
            ..Ask::default()
        };
        let reply = ask.reply(overrides);
        let text = reply.text.as_deref().unwrap_or_default();
        let reason = match &reply.stop {
            super::reply::Stop::Sequence(_) => "stop",
            stop => stop.word(["endoftext", "length", "endoftext"]),
        };
        let completion = |text: &str, reason: Value| json!({"completions": [{"data": {"text": text}, "finishReason": reason}]});
        let pieces = pieces::of_text(text).map(|piece| completion(piece, Value::Null));
        let reason = json!({ "reason": reason });
        let mut whole = completion(text, reason.clone());
        if let Some(fields) = whole.as_object_mut() {
            fields.insert("id".to_owned(), json!(1));
            fields.insert("prompt".to_owned(), json!({ "text": prompt }));
        }
        Answer {
            events: pieces.chain([completion("", reason)]).collect(),
            body: whole,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}
