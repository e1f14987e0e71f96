//! AI21 Jamba: chat bodies over InvokeModel, much like OpenAI's.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jamba.html>

use serde::Serialize;

use crate::bedrock::shared::choice_list;
use crate::bedrock::shared::conversation::{Conversation, Speaker};
use crate::bedrock::shared::prompt::{self, Images, Limits, TextRules};
use crate::bedrock::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::chat::{Completion, Error, Param, Request, Treatment};
use crate::json::Text;

const LIMITS: Limits = Limits {
    default: 4_096,
    most: 4_096,
};

/// Lowest `top_p` that Jamba takes; clients may send 0.
const MIN_TOP_P: f64 = 0.01;

/// The dialect of Jamba.
///
/// AI21's own API also has tools, documents and JSON; Bedrock documents none of them.
#[derive(Debug)]
pub(in crate::bedrock) struct Chat;

#[derive(Serialize)]
struct Body<'a> {
    messages: Vec<Message<'a>>,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Text<'a>,
}

impl Dialect for Chat {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::FrequencyPenalty | Param::PresencePenalty => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error> {
        let conversation = prompt::conversation(request, Images::Refused)?;
        conversation.refuse_prefill()?;
        let body = Body {
            messages: messages(&conversation),
            max_tokens: LIMITS.max_tokens(request, target),
            temperature: request.sampling.temperature,
            top_p: request.sampling.top_p.map(|top_p| top_p.max(MIN_TOP_P)),
            stop: prompt::stops(request),
            frequency_penalty: request.sampling.frequency_penalty,
            presence_penalty: request.sampling.presence_penalty,
        };
        prompt::encoded(request, &body, TextRules::default())
    }

    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
        choice_list::decode(body, answer)
    }

    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder> {
        Box::new(choice_list::Decoder::new(answer))
    }
}

fn messages<'c>(conversation: &'c Conversation<'_>) -> Vec<Message<'c>> {
    let system = conversation.system_text().map(|text| Message {
        role: "system",
        content: text.into(),
    });
    let turns = conversation.turns.iter().map(|turn| Message {
        role: match turn.speaker {
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        },
        content: turn.text(),
    });
    system.into_iter().chain(turns).collect()
}
