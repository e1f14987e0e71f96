//! Chat bodies: Mistral Large 2407 and Pixtral Large.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-chat-completion.html>

use serde::Serialize;

use super::messages::{Message, messages};
use crate::bedrock::shared::choice_list;
use crate::bedrock::shared::conversation::{Accepts, build};
use crate::bedrock::shared::document::Documents;
use crate::bedrock::shared::markup::Rules;
use crate::bedrock::shared::prompt::{self, Limits, TextRules};
use crate::bedrock::shared::structured::{Means, keep_to_shape};
use crate::bedrock::shared::tools::{self, Choice, Tools};
use crate::bedrock::{
    Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target, ToolNames,
};
use crate::catalog::Model;
use crate::chat::{Completion, Error, Param, Request, Treatment};
use crate::wire::openai::{Function, Tool};

const MEANS: Means = Means {
    schemas: false,
    forced_tools: true,
};

const LIMITS: Limits = Limits {
    default: 8_192,
    most: 32_768,
};

/// The dialect of the chat models.
///
/// Their documented body has no `stop`: the gateway ends answers instead.
#[derive(Debug)]
pub(in crate::bedrock) struct Chat;

#[derive(Serialize)]
struct Body<'a> {
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
}

impl Dialect for Chat {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::ToolChoice | Param::Tools => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error> {
        let mut names = ToolNames::default();
        let mut conversation = build(request, accepts(target))?;
        conversation.refuse_prefill()?;
        let mut tools = Tools::of(request, &mut names)?;
        keep_to_shape(request, MEANS, &mut conversation, (&mut tools, &mut names))?;
        let body = Body {
            messages: messages(&conversation, &mut names),
            tool_choice: tool_choice(&mut tools),
            tools: tools.list.into_iter().map(tool).collect(),
            max_tokens: LIMITS.max_tokens(request, target),
            temperature: prompt::temperature(request),
            top_p: request.sampling.top_p,
        };
        let stops = prompt::stops(request).into_iter().map(str::to_owned);
        let rules = TextRules {
            stops: stops.collect(),
            ..TextRules::default()
        };
        let mut encoded = prompt::encoded(request, &body, rules)?;
        encoded.answer.names = names;
        encoded.answer.markup = Rules::of(request, target);
        Ok(encoded)
    }

    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
        choice_list::decode(body, answer)
    }

    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder> {
        Box::new(choice_list::Decoder::new(answer))
    }
}

fn accepts(target: &Target<'_>) -> Accepts {
    Accepts {
        images: target.model.is_none_or(Model::reads_images),
        documents: Documents::None,
        tools: true,
        rich_results: false,
        failures: false,
        thinking: false,
        closing_system: false,
    }
}

/// The value for the choice. There is none for one certain tool, so all others are left out and then any is called.
fn tool_choice(tools: &mut Tools<'_>) -> Option<&'static str> {
    match &tools.choice {
        Choice::Unset => None,
        Choice::None => Some("none"),
        Choice::Auto => Some("auto"),
        Choice::Any => Some("any"),
        Choice::Tool(name) => {
            tools.list.retain(|tool| tool.name == *name);
            Some("any")
        }
    }
}

fn tool(tool: tools::Tool<'_>) -> Tool<'_> {
    Tool::from(Function {
        name: tool.name,
        description: tool.description,
        parameters: tool.schema,
        strict: false,
    })
}
