//! What a Claude body asks for.

use serde_json::Value;

use super::generation::Generation;
use super::thinking;
use crate::family::ask::{Ask, Calls, Choice, Format, Thinking, Tool, count_fields, strings};
use crate::family::{field, list, number};

/// Reads a validated body.
pub(super) fn ask(body: &Value, generation: Generation<'_>) -> Ask {
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    let one_only = choice.get("disable_parallel_tool_use") == Some(&Value::Bool(true));
    let mut ask = Ask {
        tools: list(body, "tools").iter().filter_map(tool).collect(),
        choice: read_choice(choice),
        calls_at_once: if one_only { Calls::One } else { Calls::Many },
        earlier_calls: earlier_calls(body),
        max_tokens: number(body, "max_tokens"),
        stops: strings(body, "stop_sequences"),
        thinking: match thinking::display(body, generation) {
            Some(_) => Thinking::On,
            None => Thinking::Off,
        },
        format: match body.pointer("/output_config/format/schema") {
            Some(schema) => Format::Schema(schema.clone()),
            None => Format::Text,
        },
        input_tokens: count_fields(body, &["system", "messages", "tools"]),
        ..Ask::default()
    };
    for content in last_user_turn(body) {
        match content {
            Value::String(text) => ask.said.push(text.clone()),
            Value::Array(blocks) => blocks.iter().for_each(|block| read(block, &mut ask)),
            _ => {}
        }
    }
    ask
}

fn tool(tool: &Value) -> Option<Tool> {
    Some(Tool {
        name: field(tool, "name")?.to_owned(),
        schema: tool.get("input_schema").cloned().unwrap_or_default(),
    })
}

fn read_choice(choice: &Value) -> Choice {
    match (field(choice, "type"), field(choice, "name")) {
        (Some("tool"), Some(name)) => Choice::Named(name.to_owned()),
        (Some("any"), _) => Choice::Any,
        (Some("none"), _) => Choice::None,
        _ => Choice::Auto,
    }
}

fn earlier_calls(body: &Value) -> usize {
    let messages = list(body, "messages").iter();
    let blocks = messages.flat_map(|message| list(message, "content"));
    blocks
        .filter(|block| field(block, "type") == Some("tool_use"))
        .count()
}

/// The contents of all user messages since the last assistant message.
fn last_user_turn(body: &Value) -> Vec<&Value> {
    let is_user = |message: &&Value| field(message, "role") == Some("user");
    let newest = list(body, "messages").iter().rev();
    let mut turn: Vec<&Value> = newest
        .skip_while(|message| !is_user(message))
        .take_while(is_user)
        .filter_map(|message| message.get("content"))
        .collect();
    turn.reverse();
    turn
}

fn read(block: &Value, ask: &mut Ask) {
    if field(block, "type") == Some("tool_result") {
        ask.results.push(result(block));
    }
    if let Some(text) = field(block, "text") {
        ask.said.push(text.to_owned());
    }
    see(block, ask);
}

fn see(block: &Value, ask: &mut Ask) {
    let source = block.get("source").unwrap_or(&Value::Null);
    if let (Some(kind), Some(data)) = (field(source, "media_type"), field(source, "data")) {
        ask.see(kind, data);
    }
}

fn result(block: &Value) -> String {
    let mut inner = Ask::default();
    match block.get("content") {
        Some(Value::String(text)) => inner.said.push(text.clone()),
        Some(Value::Array(blocks)) => blocks.iter().for_each(|block| read(block, &mut inner)),
        _ => {}
    }
    inner.said.extend(inner.sights);
    inner.said.retain(|part| !part.is_empty());
    inner.said.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::family::Overrides;

    fn text(content: &Value) -> Option<String> {
        let body = json!({"messages": [{"role": "user", "content": content}]});
        let ask = ask(
            &body,
            Generation::of("anthropic.claude-3-haiku-20240307-v1:0"),
        );
        ask.reply(&Overrides::default()).text
    }

    #[test]
    fn texts_images_and_results_are_echoed_in_order() {
        let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
        let content = json!([{"type": "text", "text": "look"}, image]);
        assert_eq!(
            text(&content).as_deref(),
            Some("You said: look I see an image/png of 8 bytes.")
        );
        let results = json!([
            {"type": "tool_result", "tool_use_id": "a", "content": "4 C"},
            {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "noon"}]},
        ]);
        assert_eq!(
            text(&results).as_deref(),
            Some("The tools answered: 4 C; noon.")
        );
    }
}
