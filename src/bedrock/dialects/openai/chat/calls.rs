//! Tool calls of a stream: puts the pieces together.
//!
//! In OpenAI's format every piece has its call's `index`, and the first one `id` and name. Some vendors leave out the
//! index, give every call the same one, or repeat or leave out the id.

use super::wire::Call as Piece;
use crate::bedrock::ToolNames;
use crate::bedrock::shared::tool_names::identifier;
use crate::chat::{AnswerSink, CallIndex};

/// The calls of one answer.
#[derive(Default)]
pub(super) struct Calls {
    list: Vec<Call>,
    /// How many there were before the current event: two calls in one event are always two, whatever their ids.
    before: usize,
}

struct Call {
    /// The vendor's.
    index: Option<u64>,
    /// The vendor's, empty until it is known.
    id: String,
    /// Unchanged, empty until it is known.
    name: String,
    state: State,
}

enum State {
    /// Its name is still unknown, so it cannot be reported; the arguments wait.
    Held(String),
    Announced(CallIndex),
}

/// An id for a call that came without one: clients match results to calls by it.
pub(super) fn made_up_id(answer_id: &str, index: usize) -> String {
    identifier(&format!("call.{answer_id}.{index}")).into_owned()
}

impl Calls {
    /// Notes that a new event begins.
    pub(super) fn next_event(&mut self) {
        self.before = self.list.len();
    }

    /// Takes a piece of a call.
    pub(super) fn piece(
        &mut self,
        piece: &Piece<'_>,
        answer_id: &str,
        names: &ToolNames,
        out: &mut dyn AnswerSink,
    ) {
        let at = self.continued(piece).unwrap_or_else(|| {
            self.list.push(Call::new(piece.index));
            self.list.len() - 1
        });
        let Some(call) = self.list.get_mut(at) else {
            return;
        };
        call.learn(piece);
        if let State::Held(arguments) = &mut call.state
            && !call.name.is_empty()
        {
            let held = std::mem::take(arguments);
            if call.id.is_empty() {
                call.id = made_up_id(answer_id, at);
            }
            let index = out.tool_call(&call.id, names.restore(&call.name));
            call.state = State::Announced(index);
            call.arguments(&held, out);
        }
        call.arguments(&piece.arguments(), out);
    }

    /// The position of the call that the piece continues; `None` if it begins one.
    fn continued(&self, piece: &Piece<'_>) -> Option<usize> {
        let at = |is: &dyn Fn(&Call) -> bool| self.list.iter().rposition(is);
        let last = self.list.len().checked_sub(1);
        let found = match (piece.index, piece.id()) {
            (Some(index), _) => at(&|call| call.index == Some(index))
                .or(last.filter(|_| self.list.last().is_some_and(|call| call.index.is_none()))),
            (None, Some(id)) => at(&|call| call.id == id).or(last),
            (None, None) => last,
        };
        let is_new = |at: usize| piece.name().is_some() && at >= self.before;
        found.filter(|at| !is_new(*at)).filter(|at| {
            self.list
                .get(*at)
                .is_some_and(|call| call.goes_on_with(piece))
        })
    }
}

impl Call {
    fn new(index: Option<u64>) -> Self {
        Self {
            index,
            id: String::new(),
            name: String::new(),
            state: State::Held(String::new()),
        }
    }

    /// A name begins a call, unless it certainly belongs to this one.
    fn goes_on_with(&self, piece: &Piece<'_>) -> bool {
        let Some(name) = piece.name() else {
            return true;
        };
        let same_id = piece.id().is_some_and(|id| id == self.id);
        let other_id = piece.id().is_some_and(|id| id != self.id) && !self.id.is_empty();
        let repeated = self.name == name && (same_id || piece.index.is_some());
        !other_id && (self.name.is_empty() || repeated)
    }

    fn learn(&mut self, piece: &Piece<'_>) {
        for (own, new) in [(&mut self.id, piece.id()), (&mut self.name, piece.name())] {
            if let Some(new) = new.filter(|_| own.is_empty()) {
                new.clone_into(own);
            }
        }
        self.index = self.index.or(piece.index);
    }

    fn arguments(&mut self, piece: &str, out: &mut dyn AnswerSink) {
        if piece.is_empty() {
            return;
        }
        match &mut self.state {
            State::Held(arguments) => arguments.push_str(piece),
            State::Announced(index) => out.tool_arguments(*index, piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::testing::Recorder;
    use crate::chat::{FinishReason, Usage};

    /// Checks `id name arguments` of every call after the pieces.
    #[track_caller]
    fn check(pieces: &[&str], expected: &[&str]) {
        let mut out = Recorder::sink();
        let mut calls = Calls::default();
        for piece in pieces {
            let piece: Piece<'_> = serde_json::from_str(piece).unwrap();
            calls.next_event();
            calls.piece(&piece, "a", &ToolNames::default(), &mut out);
        }
        out.finish(FinishReason::ToolCalls, Usage::default());
        let seen: Vec<_> = out.writer().calls().iter().map(|c| c.join(" ")).collect();
        assert_eq!(seen, expected, "{pieces:?}");
    }

    #[test]
    fn well_formed_pieces_go_through() {
        check(
            &[
                r#"{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{\"a\":"}}"#,
                r#"{"index":0,"function":{"arguments":"1}"}}"#,
                r#"{"index":1,"id":"c2","function":{"name":"g","arguments":"{}"}}"#,
            ],
            &["c1 f {\"a\":1}", "c2 g {}"],
        );
    }

    #[test]
    fn calls_are_distinguished_by_any_index() {
        check(
            &[
                r#"{"index":1,"id":"c1","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":7,"id":"c2","function":{"name":"g"}}"#,
            ],
            &["c1 f {}", "c2 g {}"],
        );
    }

    #[test]
    fn calls_with_one_index_are_distinguished_by_id_or_name() {
        check(
            &[
                r#"{"index":0,"id":"c1","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"id":"c2","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"name":"g","arguments":"{"}}"#,
                r#"{"index":0,"function":{"arguments":"}"}}"#,
            ],
            &["c1 f {}", "c2 f {}", "call_a_2_cc73a6f0 g {}"],
        );
    }

    #[test]
    fn pieces_without_index_are_tied_by_id_or_order() {
        check(
            &[
                r#"{"id":"c1","function":{"name":"f","arguments":"{"}}"#,
                r#"{"id":"c1","function":{"arguments":"}"}}"#,
                r#"{"id":"c2","function":{"name":"f","arguments":"{"}}"#,
                r#"{"function":{"arguments":"}"}}"#,
                r#"{"id":"c1","function":{"arguments":" "}}"#,
            ],
            &["c1 f {}", "c2 f {}"],
        );
        check(
            &[
                r#"{"function":{"name":"f","arguments":"{}"}}"#,
                r#"{"function":{"name":"f","arguments":"{}"}}"#,
            ],
            &["call_a_0_1c6a603b f {}", "call_a_1_b41772c2 f {}"],
        );
    }

    #[test]
    fn repeated_names_and_changing_ids_do_not_begin_calls() {
        check(
            &[
                r#"{"index":0,"id":"c1","function":{"name":"f","arguments":"{"}}"#,
                r#"{"index":0,"id":"c1","function":{"name":"f","arguments":"\"a\":"}}"#,
                r#"{"index":0,"id":"zz","function":{"name":null,"arguments":"1"}}"#,
                r#"{"index":0,"id":"","function":{"name":"","arguments":"}"}}"#,
            ],
            &["c1 f {\"a\":1}"],
        );
    }

    #[test]
    fn a_call_waits_for_its_name_and_is_nothing_without() {
        check(
            &[
                r#"{"index":0,"id":"c1","function":{"arguments":"{"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"}"}}"#,
                r#"{"index":1,"id":"c2","function":{"arguments":"{}"}}"#,
            ],
            &["c1 f {}"],
        );
    }

    #[test]
    fn arguments_may_be_an_object_or_missing() {
        check(
            &[
                r#"{"index":0,"id":"c1","function":{"name":"f","arguments":{"a":1}}}"#,
                r#"{"index":1,"id":"c2","function":{"name":"g","arguments":null}}"#,
                r#"{"index":2,"id":"c3","function":{"name":"h"}}"#,
            ],
            &["c1 f {\"a\":1}", "c2 g {}", "c3 h {}"],
        );
    }
}
