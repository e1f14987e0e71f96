//! Reads answers, whole and streamed.

use crate::bedrock::shared::answer_text::TextReader;
use crate::bedrock::shared::bedrock_fields::BedrockFields;
use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::shared::invocation_metrics::InvocationMetrics;
use crate::bedrock::shared::markup::Piece;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder};
use crate::chat::{AnswerSink, Completion, Usage};
use crate::json::Text;

/// What a body or an event of a stream contains, whatever the family calls it.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct GeneratedText<'a> {
    /// Text of the answer, or the next piece of it.
    pub(in crate::bedrock) text: Option<Text<'a>>,
    /// The model's word for why the answer ended, once it has.
    pub(in crate::bedrock) reason: Option<Text<'a>>,
    /// The client's stop text at which it did, where the model says so.
    pub(in crate::bedrock) stop: Option<Text<'a>>,
    /// Tokens of the prompt, where the model counts them.
    pub(in crate::bedrock) input: Option<u64>,
    /// Tokens of the answer so far, where the model counts them.
    pub(in crate::bedrock) output: Option<u64>,
}

/// Reads a family's body or event.
///
/// # Errors
///
/// When it is not the family's, or contains an error.
pub(in crate::bedrock) type Read = for<'a> fn(&'a [u8]) -> Result<GeneratedText<'a>, DecodeError>;

/// The answer in a whole body.
///
/// # Errors
///
/// When the body is not what the family answers with.
pub(in crate::bedrock) fn decode(
    read: Read,
    body: &[u8],
    answer: &Answer,
) -> Result<Completion, DecodeError> {
    let bedrock_fields = BedrockFields::of(body)?;
    let generated = read(body)?;
    let text = match &generated.text {
        Some(text) => text,
        None if bedrock_fields.intervened() => "",
        None => return Err(DecodeError::Malformed(missing("text"))),
    };
    let mut reader = TextReader::new(answer.text.clone());
    if bedrock_fields.intervened() {
        reader.expect_no_reasoning();
    }
    let (mut reasoning, mut content) = (String::new(), String::new());
    let mut sink = |piece: Piece<'_>| match piece {
        Piece::Reasoning(text) => reasoning.push_str(text),
        Piece::Answer(text) => content.push_str(text),
    };
    reader.push(text, &mut sink);
    reader.finish(&mut sink);
    let mut end = End {
        usage: answer.header_usage,
        ..End::default()
    };
    end.add(&generated, &bedrock_fields)?;
    let mut completion = Completion {
        content: Some(content),
        reasoning: Some(reasoning).filter(|reasoning| !reasoning.is_empty()),
        stop_sequence: end.stop.take(),
        usage: end.usage(),
        ..Completion::default()
    };
    if let Some(at) = reader.cut_at() {
        end.reason.cut(&at);
        completion.stop_sequence = at.stop_text().map(str::to_owned);
    }
    end.reason.end(Called::Nothing, &mut completion);
    Ok(completion)
}

/// State of one streamed answer.
pub(in crate::bedrock) struct Decoder {
    read: Read,
    text: TextReader,
    end: End,
    started: bool,
    complete: bool,
}

/// What is known about an answer's end.
#[derive(Default)]
struct End {
    reason: EndReason,
    /// The stop text that the model names.
    stop: Option<String>,
    input: Option<u64>,
    output: Option<u64>,
    /// Bedrock's own counts, used where the model has none.
    usage: Option<Usage>,
}

impl Decoder {
    pub(in crate::bedrock) fn new(read: Read, answer: Answer) -> Self {
        Self {
            read,
            text: TextReader::new(answer.text),
            end: End::default(),
            started: false,
            complete: false,
        }
    }

    fn start(&mut self, bedrock_fields: &BedrockFields, out: &mut dyn AnswerSink) {
        if self.started {
            return;
        }
        self.started = true;
        out.start();
        // A guardrail that stops the request answers in the model's place, without thinking.
        if bedrock_fields.intervened() {
            self.text.expect_no_reasoning();
        }
    }

    fn finish(&mut self, out: &mut dyn AnswerSink) {
        self.complete = true;
        self.text.finish(&mut |piece| write(piece, out));
        let cut = self.text.cut_at();
        if let Some(at) = &cut {
            self.end.reason.cut(at);
        }
        let stop = cut.map_or(self.end.stop.as_deref(), |at| at.stop_text());
        if let Some(text) = stop {
            out.stop_sequence(text);
        }
        let usage = self.end.usage();
        self.end.reason.finish(Called::Nothing, usage, out);
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let bedrock_fields = BedrockFields::of(event.payload)?;
        let generated = (self.read)(event.payload)?;
        self.start(&bedrock_fields, out);
        if let Some(text) = &generated.text {
            self.text.push(text, &mut |piece| write(piece, out));
        }
        self.end.add(&generated, &bedrock_fields)?;
        // Nothing after a stop text is wanted, so the client need not wait for it; but if only Bedrock counts tokens,
        // the counts are worth waiting for.
        let is_over = self.text.cut_at().is_some() && self.end.is_counted();
        if bedrock_fields.metrics.is_some() || is_over {
            self.finish(out);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn end(&mut self, out: &mut dyn AnswerSink) {
        if self.end.reason.is_set() {
            self.finish(out);
        }
    }
}

impl End {
    /// Later counts are totals, not increments.
    fn add(
        &mut self,
        generated: &GeneratedText<'_>,
        bedrock_fields: &BedrockFields,
    ) -> Result<(), DecodeError> {
        if bedrock_fields.intervened() {
            self.reason.intervene();
        }
        self.reason.take(generated.reason.as_deref())?;
        if let Some(stop) = &generated.stop {
            self.stop = Some(stop.to_string());
        }
        self.input = generated.input.or(self.input);
        self.output = generated.output.or(self.output);
        self.usage = bedrock_fields
            .metrics
            .map(InvocationMetrics::into)
            .or(self.usage);
        Ok(())
    }

    fn is_counted(&self) -> bool {
        self.input.is_some() && self.output.is_some()
    }

    /// The model's own counts win; they do not include caches.
    fn usage(&self) -> Usage {
        let bedrock = self.usage.unwrap_or_default();
        let output = self.output.unwrap_or(bedrock.output);
        match self.input {
            Some(input) => Usage {
                input,
                output,
                ..Usage::default()
            },
            None => Usage { output, ..bedrock },
        }
    }
}

fn write(piece: Piece<'_>, out: &mut dyn AnswerSink) {
    match piece {
        Piece::Reasoning(text) => out.reasoning(text),
        Piece::Answer(text) => out.text(text),
    }
}

fn missing(field: &'static str) -> serde_json::Error {
    serde::de::Error::missing_field(field)
}
