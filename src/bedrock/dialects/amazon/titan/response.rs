//! Decodes answers, whole and streamed.

use serde::Deserialize;

use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::shared::invocation_metrics::InvocationMetrics;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder};
use crate::chat::{AnswerSink, Completion, Usage};
use crate::json::Text;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[serde(default)]
    input_text_token_count: Option<u64>,
    #[serde(borrow)]
    results: Vec<Piece<'a>>,
    #[serde(default, rename = "amazon-bedrock-guardrailAction", borrow)]
    guardrail_action: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Piece<'a> {
    #[serde(default, borrow)]
    output_text: Option<Text<'a>>,
    #[serde(default, borrow)]
    completion_reason: Option<Text<'a>>,
    #[serde(default)]
    token_count: Option<u64>,
}

/// An event of a stream.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(default, borrow)]
    output_text: Option<Text<'a>>,
    #[serde(default, borrow)]
    completion_reason: Option<Text<'a>>,
    #[serde(default)]
    input_text_token_count: Option<u64>,
    #[serde(default)]
    total_output_text_token_count: Option<u64>,
    #[serde(default, rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<InvocationMetrics>,
    #[serde(default, rename = "amazon-bedrock-guardrailAction", borrow)]
    guardrail_action: Option<Text<'a>>,
}

pub(super) fn decode(body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
    let response: Response<'_> = serde_json::from_slice(body)?;
    let result = response.results.first();
    let text = result.and_then(|result| result.output_text.as_deref());
    let output = result.and_then(|result| result.token_count);
    let usage = usage(response.input_text_token_count, output);
    let mut completion = Completion {
        // The answer begins on a line of its own.
        content: text.map(|text| text.trim_start().to_owned()),
        usage: usage.or(answer.header_usage).unwrap_or_default(),
        ..Completion::default()
    };
    let mut end = EndReason::default();
    end.guardrail(response.guardrail_action.as_deref());
    end.take(result.and_then(|result| result.completion_reason.as_deref()))?;
    end.end(Called::Nothing, &mut completion);
    Ok(completion)
}

/// The model's own counts, if it gives both.
fn usage(input: Option<u64>, output: Option<u64>) -> Option<Usage> {
    Some(Usage {
        input: input?,
        output: output?,
        ..Usage::default()
    })
}

/// State of one streamed answer.
#[derive(Default)]
pub(super) struct Decoder {
    input: Option<u64>,
    output: Option<u64>,
    metrics: Option<InvocationMetrics>,
    reason: EndReason,
    wrote_text: bool,
    complete: bool,
}

impl Decoder {
    /// Writes text, but not the white space at the beginning of the answer.
    fn text(&mut self, text: &str, out: &mut dyn AnswerSink) {
        let text = if self.wrote_text {
            text
        } else {
            text.trim_start()
        };
        if !text.is_empty() {
            self.wrote_text = true;
            out.text(text);
        }
    }

    fn finish(&mut self, out: &mut dyn AnswerSink) {
        self.complete = true;
        let own = usage(self.input, self.output);
        let usage = own.or(self.metrics.map(Usage::from));
        let usage = usage.unwrap_or_default();
        self.reason.finish(Called::Nothing, usage, out);
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let chunk: Chunk<'_> = serde_json::from_slice(event.payload)?;
        out.start();
        self.input = chunk.input_text_token_count.or(self.input);
        self.output = chunk.total_output_text_token_count.or(self.output);
        self.reason.guardrail(chunk.guardrail_action.as_deref());
        self.reason.take(chunk.completion_reason.as_deref())?;
        self.metrics = chunk.metrics.or(self.metrics);
        if let Some(text) = chunk.output_text.as_deref() {
            self.text(text, out);
        }
        // Only Bedrock's metrics show that nothing follows.
        if self.metrics.is_some() {
            self.finish(out);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    /// An answer without metrics is complete nevertheless if it said why it ended.
    fn end(&mut self, out: &mut dyn AnswerSink) {
        if !self.complete && self.reason.is_set() {
            self.finish(out);
        }
    }
}
