//! `DeepSeek` R1: a prompt that the model always reasons about.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-deepseek.html>

use serde_json::{Value, json};

use super::ask::{Ask, Thinking, strings, words};
use super::schema::{FILLED, FRACTION, MAY, MUST, Shape};
use super::{Answer, Dialect, Overrides, field, number, pieces};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) struct DeepSeekR1;

const BEGIN: &str = "<｜begin▁of▁sentence｜>";
const USER: &str = "<｜User｜>";
const ASSISTANT: &str = "<｜Assistant｜>";
const END: &str = "<｜end▁of▁sentence｜>";
const THINK: &str = "<think>\n";

const BODY: Shape = Shape::Object(&[
    ("prompt", MUST, FILLED),
    ("max_tokens", MAY, Shape::Integer(1, 32_768)),
    ("temperature", MAY, FRACTION),
    ("top_p", MAY, FRACTION),
    ("stop", MAY, Shape::List(0, 10, &FILLED)),
]);

impl Dialect for DeepSeekR1 {
    fn validate(&self, _model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)?;
        match last_user(field(body, "prompt").unwrap_or_default()) {
            Some(_) => Ok(()),
            None => Err(AwsError::validation(
                "The prompt does not follow the template: <｜begin▁of▁sentence｜>…<｜User｜>…<｜Assistant｜><think>",
            )),
        }
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let prompt = field(body, "prompt").unwrap_or_default();
        let ask = Ask {
            said: last_user(prompt).map(str::to_owned).into_iter().collect(),
            max_tokens: number(body, "max_tokens"),
            stops: strings(body, "stop"),
            thinking: Thinking::On,
            input_tokens: words(prompt),
            ..Ask::default()
        };
        let reply = ask.reply(overrides);
        // A prompt that opens the thought gets its end only.
        let open = if prompt.ends_with(THINK) { "" } else { THINK };
        let thought = reply
            .reasoning
            .as_deref()
            .map(|text| format!("{open}{text}\n</think>\n\n"));
        let said = reply.text.as_deref().unwrap_or_default();
        let text = format!("{}{said}", thought.unwrap_or_default());
        let stop = reply.stop.word(["stop", "length", "stop"]);
        let choice =
            |text: &str, stop: Value| json!({"choices": [{"text": text, "stop_reason": stop}]});
        let pieces = pieces::of_text(&text).map(|piece| choice(piece, Value::Null));
        Answer {
            body: choice(&text, json!(stop)),
            events: pieces.chain([choice("", json!(stop))]).collect(),
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}

/// The last user text of a well-formed prompt.
fn last_user(prompt: &str) -> Option<&str> {
    let rest = prompt.strip_prefix(BEGIN)?;
    let rest = rest
        .strip_suffix(THINK)
        .unwrap_or(rest)
        .strip_suffix(ASSISTANT)?;
    let (system, turns) = rest.split_once(USER)?;
    let turns: Vec<&str> = turns.split(USER).collect();
    let (newest, earlier) = turns.split_last()?;
    let closed = |turn: &&str| {
        let parts = turn
            .strip_suffix(END)
            .and_then(|turn| turn.split_once(ASSISTANT));
        parts.is_some_and(|(user, assistant)| is_clean(user) && is_clean(assistant))
    };
    let good = !has_tokens(system) && earlier.iter().all(closed) && is_clean(newest);
    good.then_some(*newest)
}

fn is_clean(text: &str) -> bool {
    !text.trim().is_empty() && !has_tokens(text)
}

fn has_tokens(text: &str) -> bool {
    text.contains("<｜")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_template_is_a_prompt() {
        for (prompt, user) in [
            (
                "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜><think>\n",
                Some("Hi"),
            ),
            (
                "<｜begin▁of▁sentence｜><｜User｜>a<｜Assistant｜>b<｜end▁of▁sentence｜><｜User｜>c<｜Assistant｜>",
                Some("c"),
            ),
            (
                "<|begin_of_sentence|><|User|>Hi<|Assistant|><think>\n",
                None,
            ),
            ("<｜User｜>Hi<｜Assistant｜><think>\n", None),
            ("<｜begin▁of▁sentence｜><｜User｜>Hi", None),
            (
                "<｜begin▁of▁sentence｜><｜User｜>a<｜Assistant｜>b<｜User｜>c<｜Assistant｜>",
                None,
            ),
            (
                "<｜begin▁of▁sentence｜><｜User｜>a<｜end▁of▁sentence｜>b<｜Assistant｜>",
                None,
            ),
        ] {
            assert_eq!(last_user(prompt), user, "{prompt}");
        }
    }
}
