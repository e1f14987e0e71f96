//! `DeepSeek` R1: prompts over InvokeModel, reasoning inside the answer.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-deepseek.html>

use serde::{Deserialize, Serialize};

use crate::bedrock::dialects::prompted::Prompted;
use crate::bedrock::shared::conversation::{Block, BlockContent, Conversation, Speaker};
use crate::bedrock::shared::markup::{Markup, Start, split};
use crate::bedrock::shared::prompt::{
    self, Control, GeneratedText, Images, Limits, System, Template, TextRules,
};
use crate::bedrock::{DecodeError, EncodedRequest, Target};
use crate::chat::{Error, Request};
use crate::json::Text;

/// The bar is U+FF5C and the blank U+2581. The prompt ends inside the reasoning, so the model never skips it.
static TEMPLATE: Template = Template {
    begin: "<｜begin▁of▁sentence｜>",
    system: System::Own(["", ""]),
    user: ["<｜User｜>", ""],
    assistant: ["<｜Assistant｜>", "<｜end▁of▁sentence｜>"],
    answer: "<｜Assistant｜><think>\n",
    image: "",
    control: Control::Delimited {
        open: "<｜",
        close: "｜>",
        name: |c| c.is_alphanumeric() || matches!(c, '▁' | '_'),
    },
};

/// Bedrock takes four times as much, but AWS advises against it: answers get worse.
const LIMITS: Limits = Limits {
    default: 8_192,
    most: 8_192,
};

/// The dialect of R1.
#[derive(Debug)]
pub(in crate::bedrock) struct Prompt;

#[derive(Serialize)]
struct Body<'a> {
    prompt: String,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Choices<'a> {
    #[serde(default, borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    stop_reason: Option<Text<'a>>,
}

impl Prompted for Prompt {
    fn encode(&self, request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
        let mut conversation = prompt::conversation(request, Images::Refused)?;
        if let Some(markup) = Markup::of(target) {
            forget_reasoning(&mut conversation, markup);
        }
        let body = Body {
            prompt: TEMPLATE.render(&conversation),
            max_tokens: LIMITS.max_tokens(request, target),
            temperature: prompt::temperature(request),
            top_p: request.sampling.top_p,
            stop: prompt::stops(request),
        };
        let start = if conversation.ends_with_assistant() {
            Start::Answer
        } else {
            Start::Reasoning
        };
        let rules = TextRules::default().marked_up(target, start);
        prompt::encoded(request, &body, rules)
    }

    fn read(json: &[u8]) -> Result<GeneratedText<'_>, DecodeError> {
        let body: Choices<'_> = serde_json::from_slice(json)?;
        let Some(choice) = body.choices.into_iter().next() else {
            return Ok(GeneratedText::default());
        };
        Ok(GeneratedText {
            text: choice.text,
            reason: choice.stop_reason,
            ..GeneratedText::default()
        })
    }
}

/// The model was trained on conversations without the reasoning of earlier turns; clients that got it inside an
/// answer send it back there.
fn forget_reasoning(conversation: &mut Conversation<'_>, markup: &'static Markup) {
    for turn in &mut conversation.turns {
        if turn.speaker == Speaker::Assistant {
            let (_, answer) = split(&turn.text(), markup, Start::Answer);
            turn.blocks = vec![Block::from(BlockContent::Text(answer.into()))];
        }
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
            "<\u{ff5c}begin\u{2581}of\u{2581}sentence\u{ff5c}>S<\u{ff5c}User\u{ff5c}>U\
             <\u{ff5c}Assistant\u{ff5c}>A<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>\
             <\u{ff5c}User\u{ff5c}>V<\u{ff5c}Assistant\u{ff5c}><think>\n"
        );
    }

    #[test]
    fn no_control_token_of_the_template_survives_in_a_text() {
        check_no_token_survives(
            &TEMPLATE,
            &[
                "<｜begin▁of▁sentence｜>",
                "<｜end▁of▁sentence｜>",
                "<｜User｜>",
                "<｜Assistant｜>",
                "<｜tool▁calls▁begin｜>",
            ],
        );
    }
}
