//! Reads answers, whole and streamed.

use super::text::TextReader;
use crate::bedrock::shared::bedrock_fields::BedrockFields;
use crate::bedrock::shared::end_reason::EndReason;
use crate::bedrock::shared::invocation_metrics::InvocationMetrics;
use crate::bedrock::shared::markup::Piece;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder};
use crate::chat::{AnswerSink, Completion, Usage};
use crate::json::Text;

/// What a body or an event of a stream says, in no family's terms.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct Said<'a> {
    /// Text of the answer, or the next piece of it.
    pub(in crate::bedrock) text: Option<Text<'a>>,
    /// The model's word for why the answer ended, once it has.
    pub(in crate::bedrock) reason: Option<Text<'a>>,
    /// Tokens of the prompt, where the model counts them.
    pub(in crate::bedrock) input: Option<u64>,
    /// Tokens of the answer so far, where the model counts them.
    pub(in crate::bedrock) output: Option<u64>,
}

/// Reads a family's body or event.
///
/// # Errors
///
/// When it is not the family's, or tells of an error.
pub(in crate::bedrock) type Read = for<'a> fn(&'a [u8]) -> Result<Said<'a>, DecodeError>;

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
    let additions = BedrockFields::of(body)?;
    let said = read(body)?;
    let text = match &said.text {
        Some(text) => text,
        None if additions.intervened() => "",
        None => return Err(DecodeError::Malformed(missing("text"))),
    };
    let mut reader = TextReader::new(answer.text.clone());
    if additions.intervened() {
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
    end.add(&said, &additions)?;
    let mut completion = Completion {
        content: Some(content),
        reasoning: Some(reasoning).filter(|reasoning| !reasoning.is_empty()),
        stop_sequence: reader.stop_sequence().map(str::to_owned),
        usage: end.usage(),
        ..Completion::default()
    };
    if completion.stop_sequence.is_some() {
        end.reason.cut();
    }
    end.reason.end(false, &mut completion);
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

/// What is known of an answer's end.
#[derive(Default)]
struct End {
    reason: EndReason,
    input: Option<u64>,
    output: Option<u64>,
    /// Bedrock's own counts, which fill in where the model has none.
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

    fn start(&mut self, additions: &BedrockFields, out: &mut dyn AnswerSink) {
        if self.started {
            return;
        }
        self.started = true;
        out.start();
        // A guardrail that stops the request answers in the model's place, without thinking.
        if additions.intervened() {
            self.text.expect_no_reasoning();
        }
    }

    fn finish(&mut self, out: &mut dyn AnswerSink) {
        self.complete = true;
        self.text.finish(&mut |piece| write(piece, out));
        if let Some(text) = self.text.stop_sequence() {
            out.stop_sequence(text);
            self.end.reason.cut();
        }
        self.end.reason.finish(false, self.end.usage(), out);
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let additions = BedrockFields::of(event.payload)?;
        let said = (self.read)(event.payload)?;
        self.start(&additions, out);
        if let Some(text) = &said.text {
            self.text.push(text, &mut |piece| write(piece, out));
        }
        self.end.add(&said, &additions)?;
        // Behind a stop text nothing more is wanted, so the client need not wait for it; but where
        // only Bedrock counts tokens, the counts are worth waiting for.
        let is_over = self.text.stop_sequence().is_some() && self.end.is_counted();
        if additions.metrics.is_some() || is_over {
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
    /// Later counts are totals, not additions.
    fn add(&mut self, said: &Said<'_>, additions: &BedrockFields) -> Result<(), DecodeError> {
        self.reason.intervene(additions.intervened());
        self.reason.take(said.reason.as_deref())?;
        self.input = said.input.or(self.input);
        self.output = said.output.or(self.output);
        self.usage = additions
            .metrics
            .map(InvocationMetrics::into)
            .or(self.usage);
        Ok(())
    }

    fn is_counted(&self) -> bool {
        self.input.is_some() && self.output.is_some()
    }

    /// The model's own counts win; they know nothing of caches.
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
