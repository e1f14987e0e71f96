//! Answers by script: what the model says to a conversation, turn by turn.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the model says to the requests of one conversation.
///
/// A script holds no state: the calls in the history say how far a conversation is. So it does not matter
/// how often a client repeats a request, or what else it asks meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Text that the requests contain, such as a word of the user's.
    pub when: String,
    /// What the model says, in order. The first without calls is what it ends with.
    pub turns: Vec<Turn>,
}

/// What the model says to one request.
///
/// A request that does not offer the tools of its calls gets the ordinary answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Its words, before its calls.
    #[serde(default)]
    pub text: String,
    /// The tools that it calls at once.
    #[serde(default)]
    pub calls: Vec<ToolCall>,
}

/// A call of a tool that the client offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool's name, as it reaches Bedrock.
    pub name: String,
    /// Its arguments, an object.
    pub input: Value,
}

impl Script {
    /// A script without turns for requests that contain `when`.
    #[must_use]
    pub fn new(when: &str) -> Self {
        Self {
            when: when.to_owned(),
            turns: Vec::new(),
        }
    }

    /// Goes on with one call.
    #[must_use]
    pub fn call(mut self, name: &str, input: Value) -> Self {
        self.turns.push(Turn {
            text: String::new(),
            calls: vec![ToolCall {
                name: name.to_owned(),
                input,
            }],
        });
        self
    }

    /// Ends with words.
    #[must_use]
    pub fn say(mut self, text: &str) -> Self {
        self.turns.push(Turn {
            text: text.to_owned(),
            calls: Vec::new(),
        });
        self
    }

    /// Whether it is for a request with this body.
    pub(crate) fn is_for(&self, body: &Value) -> bool {
        match body {
            Value::String(text) => text.contains(&self.when),
            Value::Array(items) => items.iter().any(|item| self.is_for(item)),
            Value::Object(members) => members.values().any(|value| self.is_for(value)),
            _ => false,
        }
    }

    /// What is said to a conversation with so many calls.
    pub(crate) fn turn(&self, earlier_calls: usize) -> Option<&Turn> {
        let mut called = 0;
        let next = self.turns.iter().find(|turn| {
            let is_next = called >= earlier_calls;
            called += turn.calls.len();
            is_next
        });
        next.or(self.turns.last())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_calls_so_far_say_which_turn_it_is() {
        let both = Turn {
            text: "Both.".to_owned(),
            calls: ["b", "c"].map(call).to_vec(),
        };
        let mut script = Script::new("go").call("a", json!({}));
        script.turns.push(both);
        let script = script.say("Done.");
        let first = |calls: usize| {
            let turn = script.turn(calls).unwrap();
            turn.calls
                .first()
                .map_or(turn.text.clone(), |call| call.name.clone())
        };
        assert_eq!([0, 1, 3, 4].map(first), ["a", "b", "Done.", "Done."]);
        assert_eq!(Script::new("go").turn(0), None);
    }

    #[test]
    fn a_script_is_for_requests_that_contain_its_word() {
        let script = Script::new("go-7");
        assert!(
            script.is_for(&json!({"messages": [{"content": [{"text": "please go-7 \" now"}]}]}))
        );
        assert!(!script.is_for(&json!({"go-7": ["go-8", 7]})));
    }

    fn call(name: &str) -> ToolCall {
        ToolCall {
            name: name.to_owned(),
            input: json!({}),
        }
    }
}
