//! Amazon Titan Text: prompts over InvokeModel.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html>

mod prompt;
mod response;

use serde::Serialize;

use crate::bedrock::shared::conversation::{Accepts, build};
use crate::bedrock::shared::document::Documents;
use crate::bedrock::shared::structured::instruct_to_keep_shape;
use crate::bedrock::{
    Answer, DecodeError, Dialect, EncodedRequest, Operation, StreamDecoder, Target,
};
use crate::chat::{Completion, Error, Request};

/// Answer limit, in tokens, if the client sets none: Titan's own default of 512 cuts answers short, and every model
/// of the family can write at least this much.
const DEFAULT_MAX_TOKENS: u32 = 3_072;

/// Titan takes any `topP` above 0; with this one only the likeliest tokens are left.
const MIN_TOP_P: f64 = 0.01;

/// What Titan can be told.
const ACCEPTS: Accepts = Accepts {
    images: false,
    documents: Documents::None,
    tools: false,
    rich_results: false,
    failures: false,
    thinking: false,
    closing_system: false,
};

/// The dialect of every Titan model that writes text.
#[derive(Debug)]
pub(in crate::bedrock) struct Text;

impl Dialect for Text {
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error> {
        let mut conversation = build(request, ACCEPTS)?;
        instruct_to_keep_shape(request, &mut conversation)?;
        if target.model.is_some_and(|model| !model.prefill) {
            conversation.refuse_prefill()?;
        }
        let (stops, untold) = stop_sequences(request);
        let most = target.model.and_then(|model| model.max_output);
        let wanted = request.max_output.unwrap_or(DEFAULT_MAX_TOKENS);
        let body = Body {
            input_text: prompt::render(&conversation),
            text_generation_config: TextGenerationConfig {
                max_token_count: wanted.min(most.unwrap_or(u32::MAX)),
                temperature: request
                    .sampling
                    .temperature
                    .map(|temperature| temperature.min(1.0)),
                top_p: request.sampling.top_p.map(|own| own.max(MIN_TOP_P)),
                stop_sequences: stops,
            },
        };
        EncodedRequest::new(
            request,
            Operation::invoke(request),
            &body,
            Answer {
                stops: untold.into_iter().map(str::to_owned).collect(),
                ..Answer::default()
            },
        )
    }

    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
        response::decode(body, answer)
    }

    fn stream_decoder(&self, _: Answer) -> Box<dyn StreamDecoder> {
        Box::new(response::Decoder::default())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    input_text: String,
    text_generation_config: TextGenerationConfig<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TextGenerationConfig<'a> {
    max_token_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
}

/// Stop texts that the model takes, and those that are kept from it: Bedrock checks each against `^(\|+|User:)$`.
fn stop_sequences<'a>(request: &'a Request<'_>) -> (Vec<&'a str>, Vec<&'a str>) {
    let stops = request.stop.iter().map(|stop| &**stop);
    let is_known = |stop: &&str| *stop == "User:" || stop.bytes().all(|b| b == b'|');
    stops.filter(|stop| !stop.is_empty()).partition(is_known)
}
