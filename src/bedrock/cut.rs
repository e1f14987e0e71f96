//! Ends answers at the client's stop texts for models that take no stop texts.
//!
//! One wrapper for every dialect: the catalogue says whether a model takes stop texts, and a dialect that leaves them
//! out of its body puts them into [`Answer::stops`].

use crate::bedrock::shared::answer_text::StopCutter;
use crate::bedrock::{Answer, DecodeError, Dialect, Event, StreamDecoder};
use crate::chat::{AnswerSink, CallIndex, Completion, FinishReason, Thought, Usage};

/// The answer in a whole upstream body, up to the first stop text that was kept from the model.
///
/// # Errors
///
/// When the body is not what the family answers with.
pub fn decode(
    dialect: &dyn Dialect,
    body: &[u8],
    answer: &Answer,
) -> Result<Completion, DecodeError> {
    let completion = dialect.decode_response(body, answer)?;
    Ok(match &completion.content {
        // A guardrail's text is not the model's.
        Some(_) if completion.finish_reason == FinishReason::ContentFilter => completion,
        Some(text) if !answer.stops.is_empty() => {
            let mut kept = String::new();
            let mut cutter = StopCutter::new(answer.stops.clone());
            cutter.push(text, &mut |text| kept.push_str(text));
            match cutter.reached() {
                Some(stop) => Completion {
                    stop_sequence: Some(stop.to_owned()),
                    content: Some(kept),
                    finish_reason: FinishReason::StopText,
                    tool_calls: Vec::new(),
                    ..completion
                },
                None => completion,
            }
        }
        _ => completion,
    })
}

/// A decoder for one streamed answer, which ends it at the first stop text that was kept from the model.
#[must_use]
pub fn decoder(dialect: &dyn Dialect, mut answer: Answer) -> Box<dyn StreamDecoder> {
    let stops = std::mem::take(&mut answer.stops);
    let decoder = dialect.stream_decoder(answer);
    if stops.is_empty() {
        return decoder;
    }
    Box::new(Cut {
        decoder,
        cutter: StopCutter::new(stops),
        complete: false,
    })
}

/// A decoder whose answer ends at a stop text.
struct Cut {
    decoder: Box<dyn StreamDecoder>,
    cutter: StopCutter,
    /// Whether a stop text has ended the answer.
    complete: bool,
}

impl Cut {
    /// The end, as soon as a stop text is reached: the model may continue for a long time. Its token counts come last
    /// of all, so they stay unknown.
    fn finish(&mut self, out: &mut dyn AnswerSink) {
        let Some(stop) = self.cutter.reached().filter(|_| !self.is_complete()) else {
            return;
        };
        out.stop_sequence(stop);
        out.finish(cut_reason(out), Usage::default());
        self.complete = true;
    }
}

impl StreamDecoder for Cut {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let cutter = &mut self.cutter;
        self.decoder.event(event, &mut Cutting { cutter, out })?;
        self.finish(out);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete || self.decoder.is_complete()
    }

    fn counted(&self) -> Usage {
        self.decoder.counted()
    }

    fn end(&mut self, out: &mut dyn AnswerSink) {
        let cutter = &mut self.cutter;
        self.decoder.end(&mut Cutting { cutter, out });
        self.finish(out);
    }
}

/// Why an answer ended that was cut: calls before the stop text still have to be made.
fn cut_reason(out: &dyn AnswerSink) -> FinishReason {
    if out.tool_calls() > 0 {
        FinishReason::ToolCalls
    } else {
        FinishReason::StopText
    }
}

/// Holds back what may be the start of a stop text, and drops what follows one.
struct Cutting<'o> {
    cutter: &'o mut StopCutter,
    out: &'o mut dyn AnswerSink,
}

impl Cutting<'_> {
    fn is_over(&self) -> bool {
        self.cutter.reached().is_some()
    }

    fn release(&mut self) {
        let out = &mut *self.out;
        self.cutter.finish(&mut |text| out.text(text));
    }
}

impl AnswerSink for Cutting<'_> {
    fn start(&mut self) {
        self.out.start();
    }

    fn text(&mut self, text: &str) {
        let out = &mut *self.out;
        self.cutter.push(text, &mut |text| out.text(text));
    }

    fn reasoning(&mut self, text: &str) {
        if !self.is_over() {
            self.out.reasoning(text);
        }
    }

    fn thought(&mut self, thought: &Thought) {
        if !self.is_over() {
            self.out.thought(thought);
        }
    }

    fn tool_call(&mut self, id: &str, name: &str) -> CallIndex {
        if self.is_over() {
            return CallIndex::UNTOLD;
        }
        self.release();
        self.out.tool_call(id, name)
    }

    fn tool_input(&mut self, call: CallIndex, json: &str) {
        self.out.tool_input(call, json);
    }

    fn tool_arguments(&mut self, call: CallIndex, json: &str) {
        self.out.tool_arguments(call, json);
    }

    fn tool_call_end(&mut self, call: CallIndex) {
        self.out.tool_call_end(call);
    }

    fn tool_calls(&self) -> u32 {
        self.out.tool_calls()
    }

    fn service_tier(&mut self, tier: &str) {
        self.out.service_tier(tier);
    }

    fn stop_sequence(&mut self, text: &str) {
        if !self.is_over() {
            self.out.stop_sequence(text);
        }
    }

    fn unknown_reason(&mut self, word: &str) {
        if !self.is_over() {
            self.out.unknown_reason(word);
        }
    }

    fn finish(&mut self, reason: FinishReason, usage: Usage) {
        self.release();
        match self.cutter.reached() {
            Some(stop) => {
                self.out.stop_sequence(stop);
                self.out.finish(cut_reason(self.out), usage);
            }
            None => self.out.finish(reason, usage),
        }
    }
}
