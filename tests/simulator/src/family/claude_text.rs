//! Anthropic Claude 1, 2 and Instant: a prompt in turns and its completion.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html>

use serde_json::{Value, json};

use super::ask::{Ask, strings, words};
use super::reply::{Reply, Stop};
use super::schema::{FILLED, FRACTION, MAY, MUST, Shape};
use super::{Answer, Dialect, Overrides, field, number, pieces};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) struct ClaudeText;

const HUMAN: &str = "\n\nHuman:";
const ASSISTANT: &str = "\n\nAssistant:";

const BODY: Shape = Shape::Object(&[
    ("prompt", MUST, FILLED),
    ("max_tokens_to_sample", MUST, Shape::Integer(0, 4096)),
    ("temperature", MAY, FRACTION),
    ("top_p", MAY, FRACTION),
    ("top_k", MAY, Shape::Integer(0, 500)),
    ("stop_sequences", MAY, Shape::List(0, usize::MAX, &FILLED)),
    (
        "anthropic_version",
        MAY,
        Shape::OneOf(&["bedrock-2023-05-31"]),
    ),
]);

impl Dialect for ClaudeText {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)?;
        let stops = strings(body, "stop_sequences");
        if stops.iter().any(|stop| stop.trim().is_empty()) {
            return Err(AwsError::validation(
                "stop_sequences: each stop sequence must contain non-whitespace",
            ));
        }
        let prompt = Prompt::parse(field(body, "prompt").unwrap_or_default())
            .map_err(AwsError::validation)?;
        // Only 2.1 reads instructions before the first turn.
        match prompt.system.is_empty() || model.id.contains("claude-v2:1") {
            true => Ok(()),
            false => Err(AwsError::validation(START)),
        }
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let prompt = field(body, "prompt").unwrap_or_default();
        let parsed = Prompt::parse(prompt).unwrap_or_default();
        let ask = Ask {
            said: vec![parsed.said.to_owned()],
            max_tokens: number(body, "max_tokens_to_sample"),
            stops: strings(body, "stop_sequences"),
            input_tokens: words(prompt),
            ..Ask::default()
        };
        worded(&ask.reply(overrides))
    }
}

fn worded(reply: &Reply) -> Answer {
    // The template leaves the space before the answer to the model.
    let text = format!(" {}", reply.text.as_deref().unwrap_or_default());
    let reason = reply
        .stop
        .word(["stop_sequence", "max_tokens", "stop_sequence"]);
    // The next turn of the human is itself a stop sequence.
    let sequence = match &reply.stop {
        Stop::Sequence(text) => Some(text.as_str()),
        Stop::End => Some(HUMAN),
        _ => None,
    };
    let completion = |text: &str, reason: Option<&str>, sequence: Option<&str>| {
        json!({"type": "completion", "completion": text,
            "stop_reason": reason, "stop": sequence})
    };
    let pieces = pieces::of_text(&text).map(|piece| completion(piece, None, None));
    let end = completion("", Some(reason), sequence);
    Answer {
        events: pieces.chain([end]).collect(),
        body: completion(&text, Some(reason), sequence),
        input_tokens: reply.input_tokens,
        output_tokens: reply.output_tokens,
    }
}

/// What a well-formed prompt holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Prompt<'a> {
    /// Instructions before the first turn.
    system: &'a str,
    /// Text of the last turn of the human.
    said: &'a str,
}

const START: &str = "prompt must start with \"\n\nHuman:\" turn";
const END: &str = "prompt must end with \"\n\nAssistant:\" turn";
const ALTERNATE: &str = "prompt must alternate between \"\n\nHuman:\" and \"\n\nAssistant:\" turns";
const BLANK: &str = "prompt must not contain a blank turn";

impl<'a> Prompt<'a> {
    /// The last turn of the assistant may have begun; the model continues it.
    ///
    /// # Errors
    /// What is wrong with the prompt.
    fn parse(prompt: &'a str) -> Result<Self, &'static str> {
        let (system, turns) = prompt.split_once(HUMAN).ok_or(START)?;
        if system.contains(ASSISTANT) {
            return Err(START);
        }
        let turns: Vec<&str> = turns.split(HUMAN).collect();
        let (newest, earlier) = turns.split_last().ok_or(START)?;
        for turn in earlier {
            let (human, assistant) = turn.split_once(ASSISTANT).ok_or(ALTERNATE)?;
            check_turn(human, assistant)?;
            filled(assistant)?;
        }
        let (said, begun) = newest.split_once(ASSISTANT).ok_or(END)?;
        check_turn(said, begun)?;
        Ok(Self {
            system,
            said: said.trim(),
        })
    }
}

fn check_turn(human: &str, assistant: &str) -> Result<(), &'static str> {
    filled(human)?;
    match assistant.contains(ASSISTANT) {
        true => Err(ALTERNATE),
        false => Ok(()),
    }
}

fn filled(text: &str) -> Result<(), &'static str> {
    match text.trim() {
        "" => Err(BLANK),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_has_alternating_turns_and_the_last_may_have_begun() {
        let good = |system, said| Ok(Prompt { system, said });
        for (prompt, expected) in [
            ("\n\nHuman: Hi\n\nAssistant:", good("", "Hi")),
            ("\n\nHuman: Count.\n\nAssistant: One,", good("", "Count.")),
            (
                "Be brief.\n\nHuman: Hi\n\nAssistant:",
                good("Be brief.", "Hi"),
            ),
            (
                "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:",
                good("", "c"),
            ),
            (
                "\n\nHuman:  Human: a\n\n Assistant: b\n\nAssistant:",
                good("", "Human: a\n\n Assistant: b"),
            ),
            ("Hi", Err(START)),
            ("Human: Hi\n\nAssistant:", Err(START)),
            ("\n\nAssistant: Hi\n\nHuman: a\n\nAssistant:", Err(START)),
            ("\n\nHuman: Hi", Err(END)),
            ("\n\nHuman: a\n\nAssistant: b\n\nHuman: c", Err(END)),
            ("\n\nHuman: a\n\nHuman: b\n\nAssistant:", Err(ALTERNATE)),
            ("\n\nHuman: a\n\nAssistant: b\n\nAssistant:", Err(ALTERNATE)),
            ("\n\nHuman: \n\nAssistant:", Err(BLANK)),
            (
                "\n\nHuman: a\n\nAssistant:\n\nHuman: b\n\nAssistant:",
                Err(BLANK),
            ),
        ] {
            assert_eq!(Prompt::parse(prompt), expected, "{prompt}");
        }
    }
}
