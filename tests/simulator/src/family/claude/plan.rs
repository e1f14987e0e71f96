//! What to answer: an echo of the last user turn, or calls of the tools it
//! asks for.

use serde_json::{Map, Value, json};

/// The answer before `max_tokens` and `stop_sequences` cut it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) text: Option<String>,
    pub(super) calls: Vec<Call>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) input: Value,
}

/// Plans the answer to a validated body.
pub(super) fn plan(body: &Value) -> Plan {
    let turn = last_user_blocks(body);
    let tools = list(body, "tools");
    let choice = body.get("tool_choice");
    let forced = match field(choice.unwrap_or(&Value::Null), "type") {
        Some("tool") => choice.and_then(|choice| field(choice, "name")),
        Some("any") => tools.first().and_then(|tool| field(tool, "name")),
        Some("none") => return echo(&turn),
        _ => None,
    };
    let mut asked = asked_for(&texts(&turn), tools);
    let one_only = choice.and_then(|choice| choice.get("disable_parallel_tool_use"));
    if one_only == Some(&Value::Bool(true)) {
        asked.truncate(1);
    }
    match forced {
        // A model that is forced goes straight to the call.
        Some(name) if !asked.contains(&name) => Plan {
            text: None,
            calls: calls(body, tools, &[name]),
        },
        Some(_) => Plan {
            text: None,
            calls: calls(body, tools, &asked),
        },
        None if asked.is_empty() => echo(&turn),
        None => Plan {
            text: Some(format!("Let me call {}.", asked.join(" and "))),
            calls: calls(body, tools, &asked),
        },
    }
}

fn echo(turn: &[Value]) -> Plan {
    let results: Vec<String> = turn
        .iter()
        .filter(|block| field(block, "type") == Some("tool_result"))
        .map(result_text)
        .collect();
    let mut parts = Vec::new();
    if !results.is_empty() {
        parts.push(format!("The tools answered: {}.", results.join("; ")));
    }
    let said = texts(turn);
    if !said.is_empty() {
        parts.push(format!("You said: {said}"));
    }
    parts.extend(turn.iter().filter_map(describe));
    Plan {
        text: Some(parts.join(" ")),
        calls: Vec::new(),
    }
}

fn describe(block: &Value) -> Option<String> {
    let source = block.get("source")?;
    let kind = field(source, "media_type")?;
    let bytes = decoded_len(field(source, "data")?);
    Some(format!("I see an {kind} of {bytes} bytes."))
}

fn decoded_len(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

fn result_text(block: &Value) -> String {
    match block.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            let mut parts = vec![texts(blocks)];
            parts.extend(blocks.iter().filter_map(describe));
            parts.retain(|part| !part.is_empty());
            parts.join(" ")
        }
        _ => String::new(),
    }
}

/// The blocks of all user messages since the last assistant message.
fn last_user_blocks(body: &Value) -> Vec<Value> {
    let messages = list(body, "messages");
    let newest = messages.iter().rev();
    let mut turn: Vec<&Value> = newest
        .skip_while(|message| field(message, "role") != Some("user"))
        .take_while(|message| field(message, "role") == Some("user"))
        .collect();
    turn.reverse();
    turn.iter()
        .flat_map(|message| match message.get("content") {
            Some(Value::String(text)) => vec![json!({"type": "text", "text": text})],
            Some(Value::Array(blocks)) => blocks.clone(),
            _ => Vec::new(),
        })
        .collect()
}

fn texts(blocks: &[Value]) -> String {
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| field(block, "text"))
        .collect();
    texts.join(" ")
}

/// Tool names after the word "call": `call a`, `call a and b`, `call a, b`.
fn asked_for<'a>(text: &str, tools: &'a [Value]) -> Vec<&'a str> {
    let names: Vec<&str> = tools
        .iter()
        .filter_map(|tool| field(tool, "name"))
        .collect();
    let bare = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        word.to_owned()
    };
    let words = text.split_whitespace().map(bare);
    words
        .skip_while(|word| !word.eq_ignore_ascii_case("call"))
        .skip(1)
        .filter(|word| !matches!(word.as_str(), "and" | ""))
        .map_while(|word| names.iter().copied().find(|name| *name == word))
        .collect()
}

/// Ids continue the count of the calls in the history, so that they stay
/// unique in a conversation.
fn calls(body: &Value, tools: &[Value], names: &[&str]) -> Vec<Call> {
    let earlier = list(body, "messages")
        .iter()
        .filter_map(|message| message.get("content")?.as_array())
        .flatten()
        .filter(|block| field(block, "type") == Some("tool_use"))
        .count();
    let call = |(index, name): (usize, &&str)| {
        let tool = tools.iter().find(|tool| field(tool, "name") == Some(name));
        let schema = tool.and_then(|tool| tool.get("input_schema"));
        Call {
            id: format!("toolu_bdrk_{:024}", earlier + index + 1),
            name: (*name).to_owned(),
            input: schema.map_or_else(|| json!({}), |schema| example(schema, "value")),
        }
    };
    names.iter().enumerate().map(call).collect()
}

/// A value that fits a JSON schema; strings say the name of their property.
fn example(schema: &Value, name: &str) -> Value {
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    if let Some(first) = list(schema, "enum").first() {
        return first.clone();
    }
    match field(schema, "type") {
        Some("object") => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let fields = properties.into_iter().flatten();
            let fields: Map<String, Value> = fields
                .map(|(name, schema)| (name.clone(), example(schema, name)))
                .collect();
            Value::Object(fields)
        }
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            json!([example(items, name)])
        }
        Some("integer") => json!(1),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        _ => json!(name),
    }
}

pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> Value {
        json!({"name": name, "input_schema": {"type": "object", "properties": {
            "city": {"type": "string"}, "days": {"type": "integer"},
            "unit": {"enum": ["C", "F"]}, "tags": {"type": "array", "items": {"type": "string"}}}}})
    }

    fn ask(content: &Value, choice: &Value) -> Plan {
        plan(&json!({
            "messages": [{"role": "user", "content": content}],
            "tools": [tool("get_weather"), tool("get_time")],
            "tool_choice": choice,
        }))
    }

    fn names(plan: &Plan) -> Vec<&str> {
        plan.calls.iter().map(|call| call.name.as_str()).collect()
    }

    #[test]
    fn tools_are_called_when_the_user_asks_for_them() {
        let auto = json!({"type": "auto"});
        for (text, expected) in [
            ("Please call get_weather.", vec!["get_weather"]),
            (
                "call get_weather and get_time now",
                vec!["get_weather", "get_time"],
            ),
            (
                "Call get_time, get_weather",
                vec!["get_time", "get_weather"],
            ),
            (
                "call get_weather and get_weather",
                vec!["get_weather", "get_weather"],
            ),
            ("call me", vec![]),
            ("get_weather", vec![]),
        ] {
            assert_eq!(names(&ask(&json!(text), &auto)), expected, "{text}");
        }
    }

    #[test]
    fn a_choice_forces_forbids_or_limits_calls() {
        let both = json!("call get_weather and get_time");
        let single = json!({"type": "auto", "disable_parallel_tool_use": true});
        assert_eq!(
            names(&ask(&json!("hi"), &json!({"type": "any"}))),
            ["get_weather"]
        );
        let named = json!({"type": "tool", "name": "get_time"});
        assert_eq!(names(&ask(&json!("hi"), &named)), ["get_time"]);
        assert_eq!(names(&ask(&both, &single)), ["get_weather"]);
        assert!(names(&ask(&both, &json!({"type": "none"}))).is_empty());
    }

    #[test]
    fn input_follows_the_schema() {
        let plan = ask(&json!("call get_weather"), &json!({"type": "auto"}));
        assert_eq!(plan.text.as_deref(), Some("Let me call get_weather."));
        assert_eq!(
            plan.calls[0].input,
            json!({"city": "city", "days": 1, "unit": "C", "tags": ["tags"]})
        );
    }

    #[test]
    fn texts_images_and_results_are_echoed_in_order() {
        let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
        let content = json!([{"type": "text", "text": "look"}, image]);
        assert_eq!(
            ask(&content, &json!(null)).text.as_deref(),
            Some("You said: look I see an image/png of 8 bytes.")
        );
        let results = json!([
            {"type": "tool_result", "tool_use_id": "a", "content": "4 C"},
            {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "noon"}]},
        ]);
        assert_eq!(
            ask(&results, &json!(null)).text.as_deref(),
            Some("The tools answered: 4 C; noon.")
        );
    }
}
