//! `DeepSeek` R1: a prompt that the model reasons about, unless its answer has
//! begun.
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
const THOUGHT: &str = "</think>";

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
        match parse(field(body, "prompt").unwrap_or_default()) {
            Some(_) => Ok(()),
            None => Err(AwsError::validation(
                "The prompt does not follow the template: <｜begin▁of▁sentence｜>…<｜User｜>…<｜Assistant｜><think>",
            )),
        }
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let prompt = field(body, "prompt").unwrap_or_default();
        let parsed = parse(prompt);
        let phase = parsed.map_or(Phase::Untold, |prompt| prompt.phase);
        let ask = Ask {
            said: parsed
                .map(|prompt| prompt.said.to_owned())
                .into_iter()
                .collect(),
            max_tokens: number(body, "max_tokens"),
            stops: strings(body, "stop"),
            thinking: match phase {
                Phase::Text => Thinking::Off,
                _ => Thinking::On,
            },
            input_tokens: words(prompt),
            ..Ask::default()
        };
        let reply = ask.reply(overrides);
        // A prompt that opens the thought gets its end only.
        let open = match phase {
            Phase::Untold => THINK,
            _ => "",
        };
        let thought = reply
            .reasoning
            .as_deref()
            .map(|text| format!("{open}{text}\n{THOUGHT}\n\n"));
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

/// What a well-formed prompt holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Prompt<'a> {
    /// Text of the last user turn.
    said: &'a str,
    phase: Phase,
}

/// How far the prompt takes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It has not started.
    Untold,
    /// The thought is open.
    Thought,
    /// The thought has ended, or was left out; the model continues with the text.
    Text,
}

/// A well-formed prompt, whose answer may have begun.
fn parse(prompt: &str) -> Option<Prompt<'_>> {
    let (system, turns) = prompt.strip_prefix(BEGIN)?.split_once(USER)?;
    let turns: Vec<&str> = turns.split(USER).collect();
    let (newest, earlier) = turns.split_last()?;
    let closed = |turn: &&str| {
        let parts = turn
            .strip_suffix(END)
            .and_then(|turn| turn.split_once(ASSISTANT));
        parts.is_some_and(|(user, assistant)| is_clean(user) && is_clean(assistant))
    };
    let (said, begun) = newest.split_once(ASSISTANT)?;
    let told = begun.strip_prefix(THINK).unwrap_or(begun);
    let good = !has_tokens(system)
        && earlier.iter().all(closed)
        && is_clean(said)
        && (told.is_empty() || is_clean(told));
    let phase = match begun {
        "" => Phase::Untold,
        begun if begun.starts_with(THINK) && !begun.contains(THOUGHT) => Phase::Thought,
        _ => Phase::Text,
    };
    good.then_some(Prompt { said, phase })
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
        for (prompt, expected) in [
            (
                "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜><think>\n",
                Some(("Hi", Phase::Thought)),
            ),
            (
                "<｜begin▁of▁sentence｜><｜User｜>a<｜Assistant｜>b<｜end▁of▁sentence｜><｜User｜>c<｜Assistant｜>",
                Some(("c", Phase::Untold)),
            ),
            (
                "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜>One, two,",
                Some(("Hi", Phase::Text)),
            ),
            (
                "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\nThey greet",
                Some(("Hi", Phase::Thought)),
            ),
            (
                "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\nA.\n</think>\n\nOne,",
                Some(("Hi", Phase::Text)),
            ),
            ("<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜> ", None),
            (
                "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜>One<｜end▁of▁sentence｜>",
                None,
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
            let got = parse(prompt).map(|prompt| (prompt.said, prompt.phase));
            assert_eq!(got, expected, "{prompt}");
        }
    }
}
