//! The answer before a family words it: a script's, or an echo of the last user
//! turn, calls of the tools it asks for, or JSON of the schema it asks for.

use serde_json::{Value, json};

use super::ask::{Ask, Calls, Choice, Format, Thinking, Tool, count_words, words};
use super::sample;
use super::{Overrides, Told};
use crate::script::{ToolCall, Turn};

/// A deterministic answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) reasoning: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) calls: Vec<Call>,
    pub(crate) stop: Stop,
    pub(crate) input_tokens: u64,
    /// Reasoning included.
    pub(crate) output_tokens: u64,
    pub(crate) reasoning_tokens: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// Counts the calls of a conversation from 1.
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) input: Value,
}

/// Why the answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    End,
    MaxTokens,
    Sequence(String),
    ToolUse,
    Guardrail,
}

impl Stop {
    /// The word for it, from the words for the end, the limit and a call.
    pub(crate) fn word(&self, [end, limit, call]: [&'static str; 3]) -> &'static str {
        match self {
            Self::MaxTokens => limit,
            Self::ToolUse => call,
            _ => end,
        }
    }
}

impl Ask {
    /// The answer, cut by `max_tokens` and stop sequences.
    pub(crate) fn reply(&self, overrides: &Overrides) -> Reply {
        let (text, calls, stop) = match &overrides.guardrail {
            Some(text) => (Some(text.clone()), Vec::new(), Stop::Guardrail),
            None => limit(self, self.planned(overrides)),
        };
        let reasoning = match self.thinking {
            Thinking::On if stop != Stop::Guardrail => Some(self.reasoning()),
            _ => None,
        };
        let reasoning_tokens = words(reasoning.as_deref().unwrap_or_default());
        let called: u64 = calls.iter().map(|call| 1 + count_words(&call.input)).sum();
        Reply {
            reasoning,
            output_tokens: words(text.as_deref().unwrap_or_default()) + called + reasoning_tokens,
            text,
            calls,
            stop,
            input_tokens: self.input_tokens,
            reasoning_tokens,
        }
    }

    fn reasoning(&self) -> String {
        match self.text() {
            said if said.is_empty() => "The tools have answered.".to_owned(),
            said => format!("The user said: {said}"),
        }
    }

    fn echo(&self) -> String {
        let mut parts = Vec::new();
        if !self.results.is_empty() {
            parts.push(format!("The tools answered: {}.", self.results.join("; ")));
        }
        let said = self.text();
        if !said.is_empty() {
            parts.push(format!("You said: {said}"));
        }
        parts.extend(self.sights.iter().cloned());
        parts.join(" ")
    }

    /// Text and calls without limits: the script's, or else what is asked for.
    fn planned(&self, overrides: &Overrides) -> (String, Vec<Call>) {
        let script = overrides.script.as_ref();
        let turn = script.and_then(|script| script.turn(self.earlier_calls));
        let scripted = turn.and_then(|turn| Some((turn.text.clone(), self.scripted(turn)?)));
        scripted.unwrap_or_else(|| plan(self, &overrides.told))
    }

    /// The calls of a turn, if all of its tools are offered.
    fn scripted(&self, turn: &Turn) -> Option<Vec<Call>> {
        let call = |(index, call): (usize, &ToolCall)| {
            let is_offered = self.tools.iter().any(|tool| tool.name == call.name);
            is_offered.then(|| Call {
                number: self.earlier_calls + index + 1,
                name: call.name.clone(),
                input: call.input.clone(),
            })
        };
        turn.calls.iter().enumerate().map(call).collect()
    }

    fn calls(&self, tools: &[&Tool]) -> Vec<Call> {
        let call = |(index, tool): (usize, &&Tool)| Call {
            number: self.earlier_calls + index + 1,
            name: tool.name.clone(),
            input: match sample::of(&tool.schema) {
                input @ Value::Object(_) => input,
                _ => json!({}),
            },
        };
        tools.iter().enumerate().map(call).collect()
    }
}

/// Text and calls without limits; what the body's fields ask for comes before what its texts do.
fn plan(ask: &Ask, told: &Told) -> (String, Vec<Call>) {
    let format = match &ask.format {
        Format::Text => &told.format,
        own => own,
    };
    let choice = match (&ask.choice, &told.choice) {
        // Asked for any call before the answer: there has been one.
        (Choice::Auto, Choice::Any) if !ask.results.is_empty() => &Choice::Auto,
        (Choice::Auto, told) => told,
        (own, _) => own,
    };
    let text = match format {
        Format::Text => ask.echo(),
        Format::Json => json!({ "answer": ask.echo() }).to_string(),
        Format::Schema(schema) => sample::of(schema).to_string(),
    };
    let forced = match choice {
        Choice::None => return (text, Vec::new()),
        Choice::Auto => None,
        Choice::Any => ask.tools.first(),
        Choice::Named(name) => ask.tools.iter().find(|tool| tool.name == *name),
    };
    let mut asked = ask.tools_asked_for();
    if ask.calls_at_once == Calls::One {
        asked.truncate(1);
    }
    match forced {
        // A model that is forced goes straight to the call.
        Some(tool) if !asked.contains(&tool) => (String::new(), ask.calls(&[tool])),
        Some(_) => (String::new(), ask.calls(&asked)),
        None if asked.is_empty() => (text, Vec::new()),
        None => {
            let names: Vec<&str> = asked.iter().map(|tool| tool.name.as_str()).collect();
            let text = format!("Let me call {}.", names.join(" and "));
            (text, ask.calls(&asked))
        }
    }
}

/// Whatever cuts the text also drops the calls after it.
fn limit(ask: &Ask, (text, calls): (String, Vec<Call>)) -> (Option<String>, Vec<Call>, Stop) {
    let (mut kept, sequence) = until_stop_sequence(&text, &ask.stops);
    let mut stop = match sequence {
        Some(sequence) => Stop::Sequence(sequence.to_owned()),
        None if calls.is_empty() => Stop::End,
        None => Stop::ToolUse,
    };
    let most = ask.max_tokens.unwrap_or(u64::MAX);
    if words(kept) > most {
        kept = first_words(kept, most);
        stop = Stop::MaxTokens;
    }
    let calls = match stop {
        Stop::Sequence(_) | Stop::MaxTokens => Vec::new(),
        _ => calls,
    };
    let text = Some(kept.to_owned()).filter(|text| !text.is_empty());
    (text, calls, stop)
}

fn until_stop_sequence<'a>(text: &'a str, stops: &'a [String]) -> (&'a str, Option<&'a str>) {
    let found = stops
        .iter()
        .filter_map(|stop| Some((text.find(stop.as_str())?, stop)));
    match found.min_by_key(|(at, _)| *at) {
        Some((at, stop)) => (text.get(..at).unwrap_or(text), Some(stop)),
        None => (text, None),
    }
}

fn first_words(text: &str, most: u64) -> &str {
    let mut seen = 0;
    let mut end = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        seen += u64::from(!piece.trim().is_empty());
        if seen > most {
            break;
        }
        end += piece.len();
    }
    text.get(..end).unwrap_or(text).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str, choice: Choice) -> Ask {
        let tool = |name: &str| Tool {
            name: name.to_owned(),
            schema: json!({"type": "object", "properties": {"city": {"type": "string"}}}),
        };
        Ask {
            said: vec![text.to_owned()],
            tools: vec![tool("get_weather"), tool("get_time")],
            choice,
            ..Ask::default()
        }
    }

    fn names(ask: &Ask) -> Vec<String> {
        let reply = ask.reply(&Overrides::default());
        reply.calls.into_iter().map(|call| call.name).collect()
    }

    #[test]
    fn a_choice_forces_forbids_or_limits_calls() {
        let both = "call get_weather and get_time";
        assert_eq!(names(&ask("hi", Choice::Any)), ["get_weather"]);
        assert_eq!(
            names(&ask("hi", Choice::Named("get_time".into()))),
            ["get_time"]
        );
        assert_eq!(names(&ask(both, Choice::Any)), ["get_weather", "get_time"]);
        assert!(names(&ask(both, Choice::None)).is_empty());
        let single = Ask {
            calls_at_once: Calls::One,
            ..ask(both, Choice::Auto)
        };
        assert_eq!(names(&single), ["get_weather"]);
    }

    #[test]
    fn a_call_has_a_preamble_an_input_and_a_number() {
        let ask = Ask {
            earlier_calls: 2,
            ..ask("call get_weather", Choice::Auto)
        };
        let reply = ask.reply(&Overrides::default());
        assert_eq!(reply.text.as_deref(), Some("Let me call get_weather."));
        assert_eq!(reply.calls[0].input, json!({"city": "city"}));
        assert_eq!((reply.calls[0].number, reply.output_tokens), (3, 6));
    }

    #[test]
    fn the_earliest_limit_cuts_the_text() {
        let end = |text: &str| Stop::Sequence(text.to_owned());
        for (most, stops, kept, stop) in [
            (9, vec![], "You said: one  two", Stop::End),
            (4, vec![], "You said: one  two", Stop::End),
            (3, vec![], "You said: one", Stop::MaxTokens),
            (9, vec!["two", "one"], "You said: ", end("one")),
            (1, vec!["two"], "You", Stop::MaxTokens),
        ] {
            let ask = Ask {
                said: vec!["one  two".to_owned()],
                max_tokens: Some(most),
                stops: stops.iter().map(ToString::to_string).collect(),
                ..Ask::default()
            };
            let reply = ask.reply(&Overrides::default());
            assert_eq!(
                (reply.text.as_deref(), reply.stop),
                (Some(kept), stop),
                "{most} {stops:?}"
            );
        }
    }

    #[test]
    fn json_is_answered_where_it_is_asked_for() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
        for (format, text) in [
            (Format::Json, r#"{"answer":"You said: hi"}"#),
            (Format::Schema(schema), r#"{"n":1}"#),
        ] {
            let ask = Ask {
                format,
                ..ask("hi", Choice::Auto)
            };
            assert_eq!(ask.reply(&Overrides::default()).text.as_deref(), Some(text));
        }
    }
}
