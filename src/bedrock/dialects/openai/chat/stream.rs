//! Decodes a streamed answer, chunk by chunk.

use super::calls::Calls;
use super::wire::{Choice, Reply, fault};
use crate::bedrock::shared::bedrock_fields::INTERVENED;
use crate::bedrock::shared::end_reason::EndReason;
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
    /// What the model counted; it knows more than Bedrock.
    usage: Option<Usage>,
    end: EndReason,
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
            done: false,
            complete: false,
        }
    }

    fn choice(&mut self, choice: &Choice<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError> {
        let said = choice.said();
        if !said.reasoning.is_empty() {
            self.listener.reasoning(&said.reasoning, &self.names, out);
        }
        if !said.text.is_empty() {
            self.listener.text(&said.text, &self.names, out);
        }
        if choice.calls().next().is_some() {
            self.listener.finish(true, &self.names, out);
        }
        self.calls.next_event();
        for piece in choice.calls() {
            self.calls.piece(piece, &self.id, &self.names, out);
        }
        self.end.take(choice.reason().as_deref())
    }

    /// The end, once it is sure that no more counts will come.
    fn finish(&mut self, metrics: Option<Usage>, out: &mut dyn AnswerSink) {
        self.complete = true;
        out.start();
        let called = out.tool_calls() > 0;
        self.listener.finish(called, &self.names, out);
        let called = out.tool_calls() > 0;
        let usage = self.usage.or(metrics).unwrap_or_default();
        self.end.finish(called, usage, out);
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
        self.end
            .intervene(chunk.guardrail_action.as_deref() == Some(INTERVENED));
        let choices = chunk.choices.iter().flatten();
        for choice in choices.filter(|choice| choice.is_first()) {
            self.choice(choice, out)?;
            // Counts are totals, not additions: the last ones stand.
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

    /// Bedrock's counts mark the last chunk; where they are missing, the vendor's own word that it
    /// is done has to do. A stream with neither was cut.
    fn end(&mut self, out: &mut dyn AnswerSink) {
        if self.done || self.end.is_set() {
            self.finish(None, out);
        }
    }
}
