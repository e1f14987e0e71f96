//! Reads all texts of an answer, and says what they say.

use super::{Piece, Rules, Scanner, Start, calls};
use crate::bedrock::ToolNames;
use crate::chat::{AnswerSink, ToolCall};

/// What is heard in the texts of one streamed answer goes to its sink.
#[derive(Debug)]
pub(in crate::bedrock) struct Listener {
    /// None for models that write no markup.
    lanes: Option<Box<Lanes>>,
}

/// The texts of an answer.
#[derive(Debug)]
struct Lanes {
    text: Scanner,
    /// Reasoning that comes in a field of its own.
    thoughts: Scanner,
    earlier_calls: u32,
}

/// What a whole answer says in its texts.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct Whole {
    pub(in crate::bedrock) reasoning: String,
    pub(in crate::bedrock) content: String,
    pub(in crate::bedrock) calls: Vec<ToolCall>,
}

impl Listener {
    /// A listener that has heard nothing.
    pub(in crate::bedrock) fn new(rules: Option<Rules>, names: &ToolNames) -> Self {
        Self {
            lanes: rules.map(|rules| Box::new(Lanes::new(rules, names))),
        }
    }

    /// Takes a piece of the answer's text.
    pub(in crate::bedrock) fn text(
        &mut self,
        text: &str,
        names: &ToolNames,
        out: &mut dyn AnswerSink,
    ) {
        match &mut self.lanes {
            Some(lanes) => {
                let earlier = lanes.earlier_calls;
                lanes.text(text, names, &mut |piece| say(piece, earlier, names, out));
            }
            None => out.text(text),
        }
    }

    /// Takes a piece of reasoning that came in a field of its own.
    pub(in crate::bedrock) fn reasoning(
        &mut self,
        text: &str,
        names: &ToolNames,
        out: &mut dyn AnswerSink,
    ) {
        match &mut self.lanes {
            Some(lanes) => {
                let earlier = lanes.earlier_calls;
                let sink = &mut |piece: Piece<'_>| say(piece, earlier, names, out);
                lanes.thoughts.push(text, names, sink);
            }
            None => out.reasoning(text),
        }
    }

    /// Takes the end of the texts; `called` is whether the answer has calls that are no markup. After calls more
    /// text may follow.
    pub(in crate::bedrock) fn finish(
        &mut self,
        called: bool,
        names: &ToolNames,
        out: &mut dyn AnswerSink,
    ) {
        if let Some(lanes) = &mut self.lanes {
            let earlier = lanes.earlier_calls;
            let sink = &mut |piece: Piece<'_>| say(piece, earlier, names, out);
            lanes.finish(called, names, sink);
        }
    }
}

impl Lanes {
    fn new(rules: Rules, names: &ToolNames) -> Self {
        let offers = names.offers();
        Self {
            earlier_calls: rules.earlier_calls,
            text: Scanner::new(rules.clone(), Start::Answer, offers),
            thoughts: Scanner::new(rules, Start::Thoughts, offers),
        }
    }

    fn text(&mut self, text: &str, names: &ToolNames, sink: &mut dyn FnMut(Piece<'_>)) {
        if self.thoughts.is_waiting() {
            self.thoughts.finish(false, names, sink);
        }
        self.text.push(text, names, sink);
    }

    fn finish(&mut self, called: bool, names: &ToolNames, sink: &mut dyn FnMut(Piece<'_>)) {
        let called = called || self.text.has_called() || self.thoughts.has_called();
        self.thoughts.finish(called, names, sink);
        self.text.finish(called, names, sink);
    }
}

impl Whole {
    /// Reads the texts of a whole answer, the reasoning that came in a field of its own first; `called` is whether
    /// it has calls that are no markup.
    pub(in crate::bedrock) fn read(
        rules: Option<&Rules>,
        names: &ToolNames,
        (reasoning, text): (&str, &str),
        called: bool,
    ) -> Self {
        let mut whole = Self::default();
        let Some(rules) = rules else {
            return Self {
                reasoning: reasoning.to_owned(),
                content: text.to_owned(),
                ..whole
            };
        };
        let mut lanes = Lanes::new(rules.clone(), names);
        let mut sink = |piece: Piece<'_>| match piece {
            Piece::Reasoning(text) => whole.reasoning.push_str(text),
            Piece::Answer(text) => whole.content.push_str(text),
            Piece::Call(call) if names.is_answer(&call.name) => {
                whole.content.push_str(&call.arguments);
            }
            Piece::Call(call) => {
                let index = u32::try_from(whole.calls.len()).unwrap_or(u32::MAX);
                whole.calls.push(ToolCall {
                    id: id(&call, rules.earlier_calls, index),
                    name: call.name,
                    arguments: call.arguments,
                });
            }
        };
        if !reasoning.is_empty() {
            lanes.thoughts.push(reasoning, names, &mut sink);
        }
        if !text.is_empty() {
            lanes.text(text, names, &mut sink);
        }
        lanes.finish(called, names, &mut sink);
        whole
    }
}

fn say(piece: Piece<'_>, earlier_calls: u32, names: &ToolNames, out: &mut dyn AnswerSink) {
    match piece {
        Piece::Reasoning(text) => out.reasoning(text),
        Piece::Answer(text) => out.text(text),
        Piece::Call(call) if names.is_answer(&call.name) => out.text(&call.arguments),
        Piece::Call(call) => {
            let id = id(&call, earlier_calls, out.tool_calls());
            let index = out.tool_call(&id, &call.name);
            out.tool_arguments(index, &call.arguments);
            out.tool_call_end(index);
        }
    }
}

/// The call's own id, or one that is unique in the conversation.
fn id(call: &calls::Call, earlier_calls: u32, index: u32) -> String {
    let own = call.id.clone();
    own.unwrap_or_else(|| format!("call_{}", earlier_calls.saturating_add(index)))
}
