//! The answer in its non-streaming form, with its limits and counts.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::generation::Generation;
use super::plan::{Plan, field, list, plan};
use super::stream;
use crate::catalog::Model;
use crate::family::{Answer, Overrides};

/// Why the answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    EndTurn,
    MaxTokens,
    Sequence(String),
    ToolUse,
}

impl Stop {
    fn reason(&self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::MaxTokens => "max_tokens",
            Self::Sequence(_) => "stop_sequence",
            Self::ToolUse => "tool_use",
        }
    }

    fn sequence(&self) -> Option<&str> {
        match self {
            Self::Sequence(text) => Some(text),
            _ => None,
        }
    }
}

pub(super) fn answer(model: &Model, body: &Value, overrides: &Overrides) -> Answer {
    let plan = match &overrides.guardrail {
        Some(text) => Plan {
            text: Some(text.clone()),
            calls: Vec::new(),
        },
        None => plan(body),
    };
    let (plan, stop) = limit(plan, body);
    let input_tokens = ["system", "messages", "tools"]
        .iter()
        .filter_map(|name| body.get(name))
        .map(count_words)
        .sum();
    let output_tokens = plan_tokens(&plan);
    let mut message = json!({
        "id": message_id(body),
        "type": "message",
        "role": "assistant",
        "model": Generation::of(&model.id).public_name(),
        "content": content(&plan),
        "stop_reason": stop.reason(),
        "stop_sequence": stop.sequence(),
        "usage": {
            "input_tokens": input_tokens,
            "cache_creation_input_tokens": overrides.cache_write,
            "cache_read_input_tokens": overrides.cache_read,
            "output_tokens": output_tokens,
        },
    });
    if overrides.guardrail.is_some()
        && let Some(fields) = message.as_object_mut()
    {
        let action = (
            "amazon-bedrock-guardrailAction".to_owned(),
            json!("INTERVENED"),
        );
        fields.extend([action]);
    }
    Answer {
        events: stream::events(&message),
        body: message,
        input_tokens,
        output_tokens,
    }
}

fn content(plan: &Plan) -> Vec<Value> {
    let text = plan
        .text
        .iter()
        .map(|text| json!({"type": "text", "text": text}));
    let calls = plan.calls.iter().map(
        |call| json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}),
    );
    text.chain(calls).collect()
}

/// Applies `stop_sequences` and `max_tokens`; whatever cuts the text also
/// drops the calls after it.
fn limit(mut plan: Plan, body: &Value) -> (Plan, Stop) {
    let mut stop = match plan.calls.is_empty() {
        true => Stop::EndTurn,
        false => Stop::ToolUse,
    };
    let text = plan.text.take().unwrap_or_default();
    let (mut kept, sequence) = until_stop_sequence(&text, body);
    if let Some(sequence) = sequence {
        stop = Stop::Sequence(sequence.to_owned());
    }
    let most = body.get("max_tokens").and_then(Value::as_u64).unwrap_or(1);
    if words(kept) > most {
        kept = first_words(kept, most);
        stop = Stop::MaxTokens;
    }
    plan.text = Some(kept.to_owned()).filter(|text| !text.is_empty());
    if matches!(stop, Stop::Sequence(_) | Stop::MaxTokens) {
        plan.calls.clear();
    }
    (plan, stop)
}

fn until_stop_sequence<'a>(text: &'a str, body: &'a Value) -> (&'a str, Option<&'a str>) {
    let sequences = list(body, "stop_sequences")
        .iter()
        .filter_map(Value::as_str);
    let first = sequences
        .filter_map(|sequence| Some((text.find(sequence)?, sequence)))
        .min_by_key(|(at, _)| *at);
    match first {
        Some((at, sequence)) => (text.get(..at).unwrap_or(text), Some(sequence)),
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

fn words(text: &str) -> u64 {
    u64::try_from(text.split_whitespace().count()).unwrap_or(u64::MAX)
}

fn plan_tokens(plan: &Plan) -> u64 {
    let calls: u64 = plan
        .calls
        .iter()
        .map(|call| 1 + count_words(&call.input))
        .sum();
    words(plan.text.as_deref().unwrap_or_default()) + calls
}

/// Words of every string; an image counts as one.
fn count_words(value: &Value) -> u64 {
    match value {
        Value::String(text) => words(text),
        Value::Array(items) => items.iter().map(count_words).sum(),
        Value::Object(_) if field(value, "type") == Some("base64") => 1,
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "type" | "role"))
            .map(|(_, value)| count_words(value))
            .sum(),
        _ => 0,
    }
}

/// The same body gets the same id.
fn message_id(body: &Value) -> String {
    let digest = Sha256::digest(body.to_string().as_bytes());
    let digits: String = digest
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("msg_bdrk_{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(text: &str, max_tokens: u64, stops: &[&str]) -> (String, Stop) {
        let plan = Plan {
            text: Some(text.to_owned()),
            calls: Vec::new(),
        };
        let body = json!({"max_tokens": max_tokens, "stop_sequences": stops});
        let (plan, stop) = limit(plan, &body);
        (plan.text.unwrap_or_default(), stop)
    }

    #[test]
    fn the_earliest_limit_cuts_the_text() {
        let end = |text: &str| Stop::Sequence(text.to_owned());
        for (most, stops, kept, stop) in [
            (9, vec![], "You said:  one  two", Stop::EndTurn),
            (4, vec![], "You said:  one  two", Stop::EndTurn),
            (3, vec![], "You said:  one", Stop::MaxTokens),
            (9, vec!["two", "one"], "You said:  ", end("one")),
            (1, vec!["two"], "You", Stop::MaxTokens),
        ] {
            let got = limited("You said:  one  two", most, &stops);
            assert_eq!(got, (kept.to_owned(), stop), "{most} {stops:?}");
        }
    }
}
