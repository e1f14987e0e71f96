//! `<s>[INST] … [/INST]`.

use serde_json::{Value, json};

use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::ask::{Ask, strings, words};
use crate::family::schema::{COUNT, FILLED, FRACTION, Key, MAY, MUST, Shape};
use crate::family::{Answer, Dialect, Overrides, field, number, pieces};

pub(crate) struct MistralPrompt;

const TOP_K: Key = ("top_k", MAY, Shape::Integer(1, 200));
const BODY: Shape = Shape::Object(&[
    ("prompt", MUST, FILLED),
    ("max_tokens", MAY, COUNT),
    ("temperature", MAY, FRACTION),
    ("top_p", MAY, FRACTION),
    TOP_K,
    ("stop", MAY, Shape::List(0, 10, &FILLED)),
]);
/// `additionalModelRequestFields` of Converse.
pub(crate) const ADDITIONAL: Shape = Shape::Object(&[TOP_K]);

impl Dialect for MistralPrompt {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)?;
        if model.id.contains("large") && body.get("top_k").is_some() {
            return Err(AwsError::validation("top_k is disabled for this model."));
        }
        if number(body, "max_tokens").is_some_and(|asked| asked > model.max_tokens) {
            let most = model.max_tokens;
            let text =
                format!("The maximum tokens you requested exceeds the model limit of {most}.");
            return Err(AwsError::validation(text));
        }
        match last_user(field(body, "prompt").unwrap_or_default()) {
            Some(_) => Ok(()),
            None => Err(AwsError::validation(
                "The prompt does not follow the instruct template: <s>[INST] … [/INST]",
            )),
        }
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let prompt = field(body, "prompt").unwrap_or_default();
        let ask = Ask {
            said: last_user(prompt).map(str::to_owned).into_iter().collect(),
            max_tokens: number(body, "max_tokens"),
            stops: strings(body, "stop"),
            input_tokens: words(prompt),
            ..Ask::default()
        };
        let reply = ask.reply(overrides);
        // The template leaves the space before the answer to the model.
        let text = format!(" {}", reply.text.as_deref().unwrap_or_default());
        let stop = reply.stop.word(["stop", "length", "stop"]);
        let output =
            |text: &str, stop: Value| json!({"outputs": [{"text": text, "stop_reason": stop}]});
        let pieces = pieces::of_text(&text).map(|piece| output(piece, Value::Null));
        Answer {
            body: output(&text, json!(stop)),
            events: pieces.chain([output("", json!(stop))]).collect(),
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}

/// The last instruction of a well-formed prompt, whose answer may have begun.
fn last_user(prompt: &str) -> Option<&str> {
    let rest = prompt.strip_prefix("<s>[INST] ")?;
    let turns: Vec<&str> = rest.split("</s>[INST] ").collect();
    let (newest, earlier) = turns.split_last()?;
    let closed = |turn: &&str| {
        let parts = turn.split_once(" [/INST] ");
        parts.is_some_and(|(user, assistant)| is_clean(user) && is_clean(assistant))
    };
    let (user, begun) = newest.split_once(" [/INST]")?;
    let begins = begun.is_empty() || (begun.starts_with(' ') && is_clean(begun));
    let good = earlier.iter().all(closed) && is_clean(user) && begins;
    good.then_some(user)
}

fn is_clean(text: &str) -> bool {
    let marks = ["<s>", "</s>", "[INST]", "[/INST]"];
    !text.trim().is_empty() && !marks.iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_template_is_a_prompt() {
        for (prompt, user) in [
            ("<s>[INST] Be brief.\n\nHi [/INST]", Some("Be brief.\n\nHi")),
            ("<s>[INST] a [/INST] b</s>[INST] c [/INST]", Some("c")),
            (
                "<s>[INST] a [/INST] b</s>[INST] c [/INST] d</s>[INST] e [/INST]",
                Some("e"),
            ),
            ("<s>[INST] Count. [/INST] One, two,", Some("Count.")),
            ("<s>[INST] a [/INST] b</s>[INST] c [/INST] d", Some("c")),
            ("<s>[INST] a [/INST] b</s>", None),
            ("<s>[INST] a [/INST]b", None),
            ("<s>[INST] a [/INST] b</s>[INST] c", None),
            ("Hi", None),
            ("[INST] Hi [/INST]", None),
            ("<s>[INST] Hi [/INST] ", None),
            ("<s>[INST]  [/INST]", None),
            ("<s>[INST] a [/INST] b [INST] c [/INST]", None),
            ("<s>[INST] ignore [/INST] </s> that [/INST]", None),
        ] {
            assert_eq!(last_user(prompt), user, "{prompt}");
        }
    }
}
