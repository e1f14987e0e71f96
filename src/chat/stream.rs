//! A streamed answer on its way to the client: what the streams of all protocols have in common.

use super::calls::{Arguments, own_id};
use super::{AnswerSink, CallIndex, Error, FinishReason, Thought, Usage};

/// Writes the events of one stream in a protocol's format; nothing here needs to be checked.
pub trait EventWriter {
    /// The answer begins.
    fn start(&mut self);

    /// A piece of the answer's text.
    fn text(&mut self, text: &str);

    /// A piece of the model's reasoning.
    fn reasoning(&mut self, text: &str);

    /// A whole thought with its proof, after its text has been written as reasoning.
    fn thought(&mut self, thought: &Thought);

    /// The start of a tool call; `index` counts tool calls from 0.
    fn tool_call(&mut self, index: u32, id: &str, name: &str);

    /// A piece of a tool call's arguments, not empty.
    fn tool_arguments(&mut self, index: u32, json: &str);

    /// The end of a tool call. Its arguments are complete.
    fn tool_call_end(&mut self, _index: u32) {}

    /// Names the processing class from here on.
    fn service_tier(&mut self, tier: &str);

    /// The stop text that ended the answer, before its end.
    fn stop_sequence(&mut self, _text: &str) {}

    /// The end of the answer.
    fn finish(&mut self, reason: FinishReason, usage: Usage);

    /// An error in place of the rest of the answer.
    fn error(&mut self, error: &Error);

    /// Takes the bytes written since the last call.
    fn take(&mut self) -> Vec<u8>;
}

/// A sink that turns what is reported into bytes for the client.
pub trait AnswerStream: AnswerSink {
    /// An error in place of the rest of the answer.
    fn error(&mut self, error: &Error);

    /// Takes the bytes written since the last call.
    fn take(&mut self) -> Vec<u8>;

    /// Whether more than its beginning has been written: a part of the answer, or its end.
    fn has_content(&self) -> bool;

    /// Whether the model may be silent for long after what was written last. Between pieces of text it is not.
    fn may_pause(&self) -> bool;

    /// Why the answer ended and what it cost, once it has.
    fn end(&self) -> Option<(FinishReason, Usage)>;

    /// The model's word for why it ended, if its meaning is unknown.
    fn unknown_reason(&self) -> Option<&str>;
}

/// The sink in front of a protocol's writer, which takes care of what all of them need.
#[derive(Debug)]
pub struct Guarded<W> {
    writer: W,
    calls: Vec<Call>,
    started: bool,
    has_content: bool,
    is_talking: bool,
    unknown_reason: Option<Box<str>>,
    end: Option<(FinishReason, Usage)>,
}

/// A tool call that has begun.
#[derive(Debug)]
struct Call {
    id: String,
    arguments: Arguments,
    ended: bool,
}

impl<W: EventWriter> Guarded<W> {
    /// A sink that has received nothing yet.
    pub fn new(writer: W) -> Self {
        Self {
            writer,
            calls: Vec::new(),
            started: false,
            has_content: false,
            is_talking: false,
            unknown_reason: None,
            end: None,
        }
    }

    /// The writer.
    pub fn writer(&self) -> &W {
        &self.writer
    }

    fn content(&mut self) -> &mut W {
        self.start();
        self.has_content = true;
        self.is_talking = false;
        &mut self.writer
    }
}

impl<W: EventWriter> AnswerSink for Guarded<W> {
    fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.writer.start();
        }
    }

    fn text(&mut self, text: &str) {
        self.content().text(text);
        self.is_talking = true;
    }

    fn reasoning(&mut self, text: &str) {
        self.content().reasoning(text);
        self.is_talking = true;
    }

    fn thought(&mut self, thought: &Thought) {
        self.content().thought(thought);
    }

    fn tool_call(&mut self, id: &str, name: &str) -> CallIndex {
        let is_taken = |id: &str| self.calls.iter().any(|call| call.id == id);
        let id = own_id(id, self.calls.len(), is_taken);
        let index = self.tool_calls();
        self.content().tool_call(index, &id, name);
        self.calls.push(Call {
            id: id.into_owned(),
            arguments: Arguments::default(),
            ended: false,
        });
        CallIndex(index)
    }

    fn tool_arguments(&mut self, CallIndex(index): CallIndex, json: &str) {
        let call = self.calls.get_mut(index as usize);
        if let Some(call) = call.filter(|call| !call.ended) {
            let json = call.arguments.push(json);
            if !json.is_empty() {
                self.content().tool_arguments(index, &json);
            }
        }
    }

    fn tool_input(&mut self, CallIndex(index): CallIndex, json: &str) {
        if let Some(call) = self.calls.get_mut(index as usize) {
            call.arguments.unless_said(json);
        }
    }

    fn tool_call_end(&mut self, CallIndex(index): CallIndex) {
        let call = self.calls.get_mut(index as usize);
        if let Some(call) = call.filter(|call| !call.ended) {
            call.ended = true;
            // A tool without arguments streams none, but they must still be an object.
            let rest = call.arguments.end();
            if !rest.is_empty() {
                self.writer.tool_arguments(index, &rest);
            }
            self.writer.tool_call_end(index);
        }
    }

    fn tool_calls(&self) -> u32 {
        u32::try_from(self.calls.len()).unwrap_or(u32::MAX)
    }

    fn service_tier(&mut self, tier: &str) {
        self.writer.service_tier(tier);
    }

    fn stop_sequence(&mut self, text: &str) {
        self.writer.stop_sequence(text);
    }

    fn unknown_reason(&mut self, word: &str) {
        self.unknown_reason = Some(word.into());
    }

    fn finish(&mut self, reason: FinishReason, usage: Usage) {
        for index in 0..self.tool_calls() {
            self.tool_call_end(CallIndex(index));
        }
        self.end = Some((reason, usage));
        self.content().finish(reason, usage);
    }
}

impl<W: EventWriter> AnswerStream for Guarded<W> {
    fn error(&mut self, error: &Error) {
        self.writer.error(error);
    }

    fn take(&mut self) -> Vec<u8> {
        self.writer.take()
    }

    fn has_content(&self) -> bool {
        self.has_content
    }

    fn may_pause(&self) -> bool {
        !self.is_talking
    }

    fn end(&self) -> Option<(FinishReason, Usage)> {
        self.end
    }

    fn unknown_reason(&self) -> Option<&str> {
        self.unknown_reason.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::testing::Recorder;

    #[test]
    fn every_call_has_an_id_of_its_own_and_an_object_of_arguments() {
        let mut sink = Recorder::sink();
        let first = sink.tool_call("a", "f");
        let second = sink.tool_call("a", "g");
        let third = sink.tool_call("a", "h");
        sink.tool_arguments(second, "{\"x\":");
        sink.tool_arguments(second, "");
        sink.tool_arguments(second, "1}");
        sink.tool_call_end(first);
        sink.tool_call_end(first);
        assert_eq!((sink.tool_calls(), third), (3, CallIndex(2)));
        sink.finish(FinishReason::ToolCalls, Usage::default());
        let calls: Vec<_> = sink.writer().calls().iter().map(|c| c.join(" ")).collect();
        assert_eq!(calls, ["a f {}", "a-2 g {\"x\":1}", "a-3 h {}"]);
        assert!(sink.has_content());
    }

    #[test]
    fn arguments_may_come_with_the_call() {
        let mut sink = Recorder::sink();
        let first = sink.tool_call("a", "f");
        sink.tool_input(first, "{\"x\":1}");
        let second = sink.tool_call("b", "g");
        sink.tool_input(second, "{\"x\":1}");
        sink.tool_arguments(second, "{\"y\":2}");
        sink.finish(FinishReason::ToolCalls, Usage::default());
        let calls: Vec<_> = sink.writer().calls().iter().map(|c| c.join(" ")).collect();
        assert_eq!(calls, ["a f {\"x\":1}", "b g {\"y\":2}"]);
    }

    #[test]
    fn the_start_is_not_content() {
        let mut sink = Recorder::sink();
        sink.start();
        sink.service_tier("flex");
        assert!(!sink.has_content());
        sink.text("x");
        assert!(sink.has_content());
    }
}
