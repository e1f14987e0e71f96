//! Reads all texts of an answer, and reports what they contain.

use super::calls::Call;
use super::{Piece, Rules, Scanner, Start};
use crate::bedrock::ToolNames;
use crate::bedrock::shared::end_reason::Called;
use crate::chat::{AnswerSink, ToolCall};

/// Reads the texts of one streamed answer for its sink.
#[derive(Debug)]
pub(in crate::bedrock) struct Listener {
    /// `None` for models that write no markup.
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

/// The content of the texts of a whole answer.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct Whole {
    pub(in crate::bedrock) reasoning: String,
    pub(in crate::bedrock) content: String,
    pub(in crate::bedrock) calls: Vec<ToolCall>,
}

impl Listener {
    /// A listener that has read nothing yet.
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
                lanes.text(text, names, &mut |piece| write(piece, out));
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
                lanes
                    .thoughts
                    .push(text, names, &mut |piece| write(piece, out));
            }
            None => out.reasoning(text),
        }
    }

    /// Takes the end of the texts; `called` is whether the answer has calls that are not markup. More text may follow
    /// calls.
    pub(in crate::bedrock) fn finish(
        &mut self,
        called: Called,
        names: &ToolNames,
        out: &mut dyn AnswerSink,
    ) {
        if let Some(lanes) = &mut self.lanes {
            let calls = lanes.finish(called, names, &mut |piece| write(piece, out));
            for call in calls {
                if names.is_answer(&call.name) {
                    out.text(&names.answer(&call.arguments));
                    continue;
                }
                let id = id(&call, lanes.earlier_calls, out.tool_calls());
                let index = out.tool_call(&id, &call.name);
                out.tool_arguments(index, &call.arguments);
                out.tool_call_end(index);
            }
        }
    }
}

impl Lanes {
    fn new(rules: Rules, names: &ToolNames) -> Self {
        Self {
            earlier_calls: rules.earlier_calls,
            text: Scanner::new(rules.clone(), Start::Answer, names),
            thoughts: Scanner::new(rules, Start::Thoughts, names),
        }
    }

    fn text(&mut self, text: &str, names: &ToolNames, sink: &mut dyn FnMut(Piece<'_>)) {
        if self.thoughts.is_waiting() {
            self.thoughts.finish(Called::Nothing, names, sink);
        }
        self.text.push(text, names, sink);
    }

    /// Takes the end of the texts: the calls in them, if the answer has none of its own.
    fn finish(
        &mut self,
        called: Called,
        names: &ToolNames,
        sink: &mut dyn FnMut(Piece<'_>),
    ) -> Vec<Call> {
        let has_markup = self.text.has_called() || self.thoughts.has_called();
        let any = Called::when(called == Called::Tools || has_markup);
        self.thoughts.finish(any, names, sink);
        self.text.finish(any, names, sink);
        let calls = [self.thoughts.take_calls(), self.text.take_calls()].concat();
        match called {
            Called::Tools => Vec::new(),
            Called::Nothing => calls,
        }
    }
}

impl Whole {
    /// Reads the texts of a whole answer, beginning with reasoning from a field of its own; `called` is whether the
    /// answer has calls that are not markup.
    pub(in crate::bedrock) fn read(
        rules: Option<&Rules>,
        names: &ToolNames,
        (reasoning, text): (&str, &str),
        called: Called,
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
        };
        if !reasoning.is_empty() {
            lanes.thoughts.push(reasoning, names, &mut sink);
        }
        if !text.is_empty() {
            lanes.text(text, names, &mut sink);
        }
        for call in lanes.finish(called, names, &mut sink) {
            if names.is_answer(&call.name) {
                whole.content.push_str(&names.answer(&call.arguments));
                continue;
            }
            let index = u32::try_from(whole.calls.len()).unwrap_or(u32::MAX);
            whole.calls.push(ToolCall {
                id: id(&call, rules.earlier_calls, index),
                name: call.name,
                arguments: call.arguments,
            });
        }
        whole
    }
}

fn write(piece: Piece<'_>, out: &mut dyn AnswerSink) {
    match piece {
        Piece::Reasoning(text) => out.reasoning(text),
        Piece::Answer(text) => out.text(text),
    }
}

/// The call's own id, or one that is unique in the conversation.
fn id(call: &Call, earlier_calls: u32, index: u32) -> String {
    let own = call.id.clone();
    own.unwrap_or_else(|| format!("call_{}", earlier_calls.saturating_add(index)))
}
