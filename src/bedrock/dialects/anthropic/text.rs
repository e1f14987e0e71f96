//! Anthropic Claude 2 and Instant.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html>

use serde::{Deserialize, Serialize};

use crate::bedrock::dialects::prompted::Prompted;
use crate::bedrock::shared::prompt::{
    self, Control, GeneratedText, Images, Lead, Limits, System, Template, TextRules,
};
use crate::bedrock::{DecodeError, EncodedRequest, Target};
use crate::chat::{Error, Param, Request, Treatment};
use crate::json::Text;

/// Highest `top_k` that the model takes; a higher one would not change the answer.
const MAX_TOP_K: u32 = 500;

/// The dialect of Claude's text completions.
pub(in crate::bedrock) static CLAUDE_TEXT: TextCompletions = TextCompletions;

/// The instructions are in the first turn: the older models refuse a prompt that does not begin with one.
static TEMPLATE: Template = Template {
    begin: "",
    system: System::InUser(["", "\n\n"]),
    user: [HUMAN, ""],
    assistant: ["\n\nAssistant: ", ""],
    answer: "\n\nAssistant:",
    image: "",
    control: Control::Labels(&[("\n\n", "Human:"), ("\n\n", "Assistant:")]),
};

const HUMAN: &str = "\n\nHuman: ";

const LIMITS: Limits = Limits {
    default: 4_096,
    most: 4_096,
};

/// The only version that Bedrock knows.
const VERSION: &str = "bedrock-2023-05-31";

/// The dialect of Claude's text completions.
#[derive(Debug)]
pub(in crate::bedrock) struct TextCompletions;

#[derive(Serialize)]
struct Body<'a> {
    anthropic_version: &'static str,
    prompt: String,
    max_tokens_to_sample: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    stop_sequences: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Completed<'a> {
    #[serde(default, borrow)]
    completion: Option<Text<'a>>,
    #[serde(default, borrow)]
    stop_reason: Option<Text<'a>>,
    /// The text at which it stopped.
    #[serde(default, borrow)]
    stop: Option<Text<'a>>,
}

impl Prompted for TextCompletions {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::TopK => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn encode(&self, request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
        let conversation = prompt::conversation(request, Images::Refused)?;
        let mut stop_sequences = vec![HUMAN.trim_end()];
        stop_sequences.extend(prompt::stops(request));
        // Claude refuses stop sequences that are only white space.
        stop_sequences.retain(|stop| !stop.trim().is_empty());
        let body = Body {
            anthropic_version: VERSION,
            prompt: TEMPLATE.render(&conversation),
            max_tokens_to_sample: LIMITS.max_tokens(request, target),
            temperature: prompt::temperature(request),
            top_p: request.sampling.top_p,
            top_k: request.sampling.top_k.map(|k| k.min(MAX_TOP_K)),
            stop_sequences,
        };
        let rules = TextRules::behind(&conversation, Lead::WhiteSpace);
        prompt::encoded(request, &body, rules)
    }

    fn read(json: &[u8]) -> Result<GeneratedText<'_>, DecodeError> {
        let body: Completed<'_> = serde_json::from_slice(json)?;
        // An answer ends where the user's next turn would begin, unless it reaches a stop text of the client's before.
        let stop = body.stop.filter(|stop| **stop != *HUMAN.trim_end());
        let reason = body.stop_reason.map(|reason| match stop {
            None if *reason == *"stop_sequence" => "end_turn".into(),
            _ => reason,
        });
        Ok(GeneratedText {
            text: body.completion,
            reason,
            stop,
            ..GeneratedText::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::shared::prompt::testing::{check_no_token_survives, render};

    #[test]
    fn the_prompt_is_the_documented_one() {
        assert_eq!(
            render(&TEMPLATE, "S", &["U", "A", "V"]),
            "\n\nHuman: S\n\nU\n\nAssistant: A\n\nHuman: V\n\nAssistant:"
        );
        assert_eq!(
            render(&TEMPLATE, "", &["U", "A"]),
            "\n\nHuman: U\n\nAssistant: A"
        );
    }

    #[test]
    fn no_text_can_pose_as_a_turn() {
        check_no_token_survives(&TEMPLATE, &["\n\nHuman:", "\n\nAssistant:"]);
    }
}
