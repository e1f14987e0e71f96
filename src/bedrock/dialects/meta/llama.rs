//! Meta Llama: prompts over InvokeModel.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html>

mod template;

use serde::{Deserialize, Serialize};

use self::template::{TEMPLATE_2, TEMPLATE_3, TEMPLATE_4};
use crate::bedrock::dialects::prompted::Prompted;
use crate::bedrock::shared::conversation::{BlockContent, Conversation};
use crate::bedrock::shared::markup::Start;
use crate::bedrock::shared::prompt::{
    self, GeneratedText, Images, Lead, Limits, Template, TextRules,
};
use crate::bedrock::{DecodeError, EncodedRequest, Target};
use crate::catalog::Model;
use crate::chat::{Error, Request};
use crate::json::Text;

/// Llama 2 chat.
pub(in crate::bedrock) static LLAMA_2: Llama = Llama {
    template: &TEMPLATE_2,
    lead: Lead::WhiteSpace,
    pictures: Pictures::None,
};

/// Llama 3 to 3.3.
pub(in crate::bedrock) static LLAMA_3: Llama = Llama {
    template: &TEMPLATE_3,
    lead: Lead::LineBreaks,
    pictures: Pictures::Prompt,
};

/// Llama 4.
pub(in crate::bedrock) static LLAMA_4: Llama = Llama {
    template: &TEMPLATE_4,
    lead: Lead::LineBreaks,
    pictures: Pictures::Unsure,
};

/// The documented maximum of `max_gen_len`. Model cards promise more for some generations, but Bedrock has refused
/// it.
const LIMITS: Limits = Limits {
    default: 2_048,
    most: 2_048,
};

/// The dialect of one generation.
#[derive(Debug)]
pub(in crate::bedrock) struct Llama {
    template: &'static Template,
    lead: Lead,
    pictures: Pictures,
}

/// Whether a generation reads images from a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pictures {
    /// It reads none.
    None,
    /// Some of its models do.
    Prompt,
    /// Some of its models do, but only Converse's documentation says how.
    Unsure,
}

/// The whole body; Bedrock refuses every other key. It has no `stop`: the gateway ends answers instead.
#[derive(Serialize)]
struct Body<'a> {
    prompt: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    max_gen_len: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
}

/// Part of an answer and of a stream's events; there the counts are totals so far.
#[derive(Deserialize)]
struct Generation<'a> {
    #[serde(default, borrow)]
    generation: Option<Text<'a>>,
    #[serde(default)]
    prompt_token_count: Option<u64>,
    #[serde(default)]
    generation_token_count: Option<u64>,
    #[serde(default, borrow)]
    stop_reason: Option<Text<'a>>,
}

impl Prompted for Llama {
    fn carries_images(&self) -> bool {
        self.pictures != Pictures::Unsure
    }

    fn encode(&self, request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
        let conversation = prompt::conversation(request, self.images(target))?;
        let body = Body {
            prompt: self.template.render(&conversation),
            images: images(&conversation),
            max_gen_len: LIMITS.max_tokens(request, target),
            temperature: prompt::temperature(request),
            top_p: request.sampling.top_p,
        };
        let stops = prompt::stops(request).into_iter().map(str::to_owned);
        let rules = TextRules {
            stops: stops.collect(),
            ..TextRules::behind(&conversation, self.lead).marked_up(target, Start::Answer)
        };
        prompt::encoded(request, &body, rules)
    }

    fn read(json: &[u8]) -> Result<GeneratedText<'_>, DecodeError> {
        let body: Generation<'_> = serde_json::from_slice(json)?;
        Ok(GeneratedText {
            text: body.generation,
            reason: body.stop_reason,
            input: body.prompt_token_count,
            output: body.generation_token_count,
            ..GeneratedText::default()
        })
    }
}

impl Llama {
    /// A model that is not in the catalogue may be able to read images.
    fn images(&self, target: &Target<'_>) -> Images {
        let reads = target.model.is_none_or(Model::reads_images);
        if reads && self.pictures != Pictures::None {
            Images::Read
        } else {
            Images::Refused
        }
    }
}

/// The images in the order of their marks in the prompt.
fn images<'c>(conversation: &'c Conversation<'_>) -> Vec<&'c str> {
    let images = conversation
        .blocks()
        .filter_map(|block| match &block.content {
            BlockContent::Image(image) => Some(&*image.data),
            _ => None,
        });
    images.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::Options;
    use crate::catalog;
    use crate::catalog::ModelFamily;
    use crate::chat::testing::says;
    use crate::chat::{self, Block, Source};

    /// Images for Llama 4 normally go through Converse, so this is what a channel gets that insists on InvokeModel.
    #[test]
    fn every_image_has_its_mark_in_the_prompt() {
        let mut request = says(&["Compare."]);
        let blocks = &mut request.messages[0].blocks;
        for uri in ["data:image/png;base64,AAAA", "data:image/jpeg;base64,BBBB"] {
            blocks.push(Block {
                content: chat::BlockContent::Image(Source::Uri(uri.into())),
                ..blocks[0].clone()
            });
        }
        let options = Options::default();
        let target = Target {
            model: catalog::find("llama4-scout-17b-instruct"),
            family: ModelFamily::Llama4,
            model_id: "us.meta.llama4-scout-17b-instruct-v1:0",
            options: &options,
        };
        assert!(!LLAMA_4.carries_images() && LLAMA_3.carries_images());
        let encoded = LLAMA_4.encode(&request, &target).unwrap();
        assert_eq!(
            String::from_utf8(encoded.body.into_vec(b"")).unwrap(),
            r#"{"prompt":"<|begin_of_text|><|header_start|>user<|header_end|>\n\n<|image|><|image|>Compare.<|eot|><|header_start|>assistant<|header_end|>\n\n","images":["AAAA","BBBB"],"max_gen_len":2048}"#
        );
        assert!(LLAMA_2.encode(&request, &target).is_err());
    }
}
