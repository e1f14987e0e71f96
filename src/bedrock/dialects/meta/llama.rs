//! Meta Llama: prompts over InvokeModel.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html>

mod template;

use serde::{Deserialize, Serialize};

use self::template::{TEMPLATE_2, TEMPLATE_3, TEMPLATE_4};
use crate::bedrock::shared::conversation::{BlockContent, Conversation};
use crate::bedrock::shared::markup::Start;
use crate::bedrock::shared::prompt::{self, Images, Lead, Limits, Said, Template, TextRules};
use crate::bedrock::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::catalog::Model;
use crate::chat::{Completion, Error, Request};
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

/// The documented maximum of `max_gen_len`. Model cards promise some generations more, but Bedrock
/// has refused it.
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
    /// It does not.
    None,
    /// Some models do.
    Prompt,
    /// Some models do, but only Converse's documentation says how.
    Unsure,
}

/// The whole body; Bedrock refuses every other key, so `stop` is not among them: answers are cut
/// here.
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

/// Of an answer, and of a stream's events: there the counts are totals so far.
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

impl Dialect for Llama {
    fn carries_images(&self) -> bool {
        self.pictures != Pictures::Unsure
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error> {
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

    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
        prompt::decode(read, body, answer)
    }

    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder> {
        Box::new(prompt::Decoder::new(read, answer))
    }
}

impl Llama {
    /// A model that the catalogue does not know may be one with eyes.
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

fn read(json: &[u8]) -> Result<Said<'_>, DecodeError> {
    let said: Generation<'_> = serde_json::from_slice(json)?;
    Ok(Said {
        text: said.generation,
        reason: said.stop_reason,
        input: said.prompt_token_count,
        output: said.generation_token_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::Options;
    use crate::catalog;
    use crate::catalog::ModelFamily;
    use crate::chat::testing::says;
    use crate::chat::{self, Block, Source};

    /// Llama 4's image goes to Converse by itself, so this is what a channel gets that insists on
    /// InvokeModel.
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
        let encoded = LLAMA_4.encode_request(&request, &target).unwrap();
        assert_eq!(
            String::from_utf8(encoded.body.into_vec(b"")).unwrap(),
            r#"{"prompt":"<|begin_of_text|><|header_start|>user<|header_end|>\n\n<|image|><|image|>Compare.<|eot|><|header_start|>assistant<|header_end|>\n\n","images":["AAAA","BBBB"],"max_gen_len":2048}"#
        );
        assert!(LLAMA_2.encode_request(&request, &target).is_err());
    }
}
