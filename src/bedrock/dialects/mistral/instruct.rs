//! Prompts: Mistral 7B, Mixtral 8x7B, Mistral Large and Small 2402.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html>

use serde::{Deserialize, Serialize};

use crate::bedrock::dialects::prompted::Prompted;
use crate::bedrock::shared::markup::Start;
use crate::bedrock::shared::prompt::{
    self, Control, GeneratedText, Images, Lead, Limits, System, Template, TextRules,
};
use crate::bedrock::{DecodeError, EncodedRequest, Target};
use crate::chat::{Error, Param, Request, Treatment};
use crate::json::Text;

/// The models know no separate instructions; these are part of the first question.
static TEMPLATE: Template = Template {
    begin: "<s>",
    system: System::InUser(["", "\n\n"]),
    user: ["[INST] ", " [/INST]"],
    assistant: [" ", "</s>"],
    answer: "",
    image: "",
    control: Control::Tokens(&[
        "<s>",
        "</s>",
        "<unk>",
        "[INST]",
        "[/INST]",
        "[AVAILABLE_TOOLS]",
        "[/AVAILABLE_TOOLS]",
        "[TOOL_CALLS]",
        "[TOOL_RESULTS]",
        "[/TOOL_RESULTS]",
    ]),
};

const LIMITS: Limits = Limits {
    default: 4_096,
    most: 8_192,
};

/// The highest `top_k` that they take.
pub(in crate::bedrock) const MAX_TOP_K: u32 = 200;

/// The dialect of the prompt models.
#[derive(Debug)]
pub(in crate::bedrock) struct Instruct;

#[derive(Serialize)]
struct Body<'a> {
    prompt: String,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Outputs<'a> {
    #[serde(default, borrow)]
    outputs: Vec<Output<'a>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    stop_reason: Option<Text<'a>>,
}

impl Prompted for Instruct {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::TopK => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn encode(&self, request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
        let conversation = prompt::conversation(request, Images::Refused)?;
        let body = Body {
            prompt: TEMPLATE.render(&conversation),
            max_tokens: LIMITS.max_tokens(request, target),
            temperature: prompt::temperature(request),
            top_p: request.sampling.top_p,
            top_k: top_k(request, target),
            stop: prompt::stops(request),
        };
        let rules =
            TextRules::behind(&conversation, Lead::WhiteSpace).marked_up(target, Start::Answer);
        prompt::encoded(request, &body, rules)
    }

    fn read(json: &[u8]) -> Result<GeneratedText<'_>, DecodeError> {
        let body: Outputs<'_> = serde_json::from_slice(json)?;
        let Some(output) = body.outputs.into_iter().next() else {
            return Ok(GeneratedText::default());
        };
        Ok(GeneratedText {
            text: output.text,
            reason: output.stop_reason,
            ..GeneratedText::default()
        })
    }
}

fn top_k(request: &Request<'_>, target: &Target<'_>) -> Option<u32> {
    let takes = target.model.is_some_and(|model| model.top_k);
    request
        .sampling
        .top_k
        .filter(|_| takes)
        .map(|top_k| top_k.min(MAX_TOP_K))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::shared::prompt::testing::{check_no_token_survives, render};

    #[test]
    fn the_prompt_is_the_documented_one() {
        assert_eq!(
            render(&TEMPLATE, "S", &["U", "A", "V"]),
            "<s>[INST] S\n\nU [/INST] A</s>[INST] V [/INST]"
        );
        assert_eq!(render(&TEMPLATE, "", &["U", "A"]), "<s>[INST] U [/INST] A");
    }

    #[test]
    fn no_control_token_of_the_template_survives_in_a_text() {
        check_no_token_survives(&TEMPLATE, &["<s>", "</s>", "[INST]", "[/INST]"]);
    }
}
