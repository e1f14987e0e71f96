//! Amazon Titan Text.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html>

use serde_json::{Value, json};

use super::ask::{Ask, strings, words};
use super::reply::Stop;
use super::schema::{FILLED, FRACTION, MAY, MUST, Shape};
use super::{Answer, Dialect, Overrides, field, number, pieces};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) struct Titan;

const STOP: Shape = Shape::Pattern(is_stop, "^(\\|+|User:)$");
const BODY: Shape = Shape::Object(&[
    ("inputText", MUST, FILLED),
    (
        "textGenerationConfig",
        MAY,
        Shape::Object(&[
            ("temperature", MAY, FRACTION),
            ("topP", MAY, Shape::Number(f64::MIN_POSITIVE, 1.0)),
            ("maxTokenCount", MAY, Shape::Integer(1, i64::MAX)),
            ("stopSequences", MAY, Shape::List(0, usize::MAX, &STOP)),
        ]),
    ),
]);

impl Dialect for Titan {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)?;
        let asked = body.pointer("/textGenerationConfig/maxTokenCount");
        match asked.and_then(Value::as_u64) {
            Some(asked) if asked > model.max_tokens => Err(AwsError::validation(format!(
                "Malformed input request: #/textGenerationConfig/maxTokenCount: {asked} is not less or equal to {}, please reformat your input and try again.",
                model.max_tokens
            ))),
            _ => Ok(()),
        }
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let input = field(body, "inputText").unwrap_or_default();
        let config = body.get("textGenerationConfig").unwrap_or(&Value::Null);
        let ask = Ask {
            said: vec![last_user(input).to_owned()],
            max_tokens: number(config, "maxTokenCount"),
            stops: strings(config, "stopSequences"),
            input_tokens: words(input),
            ..Ask::default()
        };
        let reply = ask.reply(overrides);
        let text = format!("\n{}", reply.text.as_deref().unwrap_or_default());
        let reason = match &reply.stop {
            Stop::Guardrail => "CONTENT_FILTERED",
            Stop::Sequence(_) => "STOP_CRITERIA_MET",
            stop => stop.word(["FINISHED", "LENGTH", "FINISHED"]),
        };
        let mut events: Vec<Value> = pieces::of_text(&text)
            .map(|piece| {
                json!({"outputText": piece, "index": 0, "totalOutputTextTokenCount": null,
                    "completionReason": null, "inputTextTokenCount": null})
            })
            .collect();
        events.push(json!({"outputText": "", "index": 0,
            "totalOutputTextTokenCount": reply.output_tokens,
            "completionReason": reason, "inputTextTokenCount": reply.input_tokens}));
        let result = json!({"tokenCount": reply.output_tokens, "outputText": text,
            "completionReason": reason});
        Answer {
            body: json!({"inputTextTokenCount": reply.input_tokens, "results": [result]}),
            events,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}

/// What is between the last `User:` and the `Bot:` that asks for the answer.
fn last_user(input: &str) -> &str {
    let (_, last) = input.rsplit_once("User:").unwrap_or(("", input));
    let trimmed = last.trim();
    trimmed.strip_suffix("Bot:").unwrap_or(trimmed).trim()
}

fn is_stop(text: &str) -> bool {
    text == "User:" || (!text.is_empty() && text.chars().all(|c| c == '|'))
}
