//! Decodes a streamed answer, chunk by chunk.

use super::calls::Calls;
use super::wire::{Choice, Reply, fault};
use crate::bedrock::shared::end_reason::{Called, CutAt, EndReason};
use crate::bedrock::shared::markup::Listener;
use crate::bedrock::{Answer, DecodeError, Event, StreamDecoder, ToolNames};
use crate::chat::{AnswerSink, Usage};

/// State of one streamed answer.
pub(super) struct Decoder {
    names: ToolNames,
    listener: Listener,
    calls: Calls,
    /// The vendor's id of the answer, empty until it is known.
    id: String,
    /// The model's own counts; they have more detail than Bedrock's.
    usage: Option<Usage>,
    end: EndReason,
    /// Stop texts that the model was told.
    told_stops: Vec<String>,
    /// Whether the vendor said that nothing more will come.
    done: bool,
    complete: bool,
}

impl Decoder {
    pub(super) fn new(answer: Answer) -> Self {
        Self {
            listener: Listener::new(answer.markup, &answer.names),
            names: answer.names,
            calls: Calls::default(),
            id: String::new(),
            usage: None,
            end: EndReason::default(),
            told_stops: answer.told_stops,
            done: false,
            complete: false,
        }
    }

    fn choice(&mut self, choice: &Choice<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let texts = choice.texts();
        if !texts.reasoning.is_empty() {
            self.listener.reasoning(&texts.reasoning, &self.names, out);
        }
        if !texts.text.is_empty() {
            self.listener.text(&texts.text, &self.names, out);
        }
        if choice.calls().next().is_some() {
            self.listener.finish(Called::Tools, &self.names, out);
        }
        self.calls.next_event();
        for piece in choice.calls() {
            self.calls.piece(piece, &self.id, &self.names, out);
        }
        self.end.take(choice.reason().as_deref())?;
        if let Some(text) = choice.stop_text(&self.told_stops) {
            self.end.cut(&CutAt::StopText(text));
            out.stop_sequence(text);
        }
        Ok(())
    }

    /// The end, once no more counts can come.
    fn finish(&mut self, metrics: Option<Usage>, out: &mut dyn AnswerSink) {
        self.complete = true;
        out.start();
        let called = Called::so_far(out);
        self.listener.finish(called, &self.names, out);
        let usage = self.usage.or(metrics).unwrap_or_default();
        // The texts may have had calls too.
        self.end.finish(Called::so_far(out), usage, out);
    }
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        match event.payload.trim_ascii() {
            b"" => return Ok(()),
            b"[DONE]" | b"\"[DONE]\"" => {
                self.done = true;
                // Without the model's own counts, Bedrock's may still come.
                if self.usage.is_some() {
                    self.finish(None, out);
                }
                return Ok(());
            }
            _ => {}
        }
        let chunk: Reply<'_> = serde_json::from_slice(event.payload)?;
        if let Some(error) = chunk.error {
            return Err(DecodeError::Upstream(fault(error)));
        }
        out.start();
        if let Some(id) = chunk.id.filter(|_| self.id.is_empty()) {
            self.id = id.to_string();
        }
        self.end.guardrail(chunk.guardrail_action.as_deref());
        let choices = chunk.choices.iter().flatten();
        for choice in choices.filter(|choice| choice.is_first()) {
            self.choice(choice, out)?;
            // Counts are totals, not increments: the last ones are valid.
            self.usage = choice.usage.and_then(|own| own.usage()).or(self.usage);
        }
        self.usage = chunk.usage.and_then(|own| own.usage()).or(self.usage);
        if let Some(metrics) = chunk.metrics {
            self.finish(Some(metrics.into()), out);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    /// Bedrock's counts mark the last chunk; if they are missing, the vendor's own word that it is done has to be
    /// enough. A stream with neither was cut.
    fn end(&mut self, out: &mut dyn AnswerSink) {
        if self.done || self.end.is_set() {
            self.finish(None, out);
        }
    }
}
