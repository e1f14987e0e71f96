//! What a request asks for, whatever family worded it.

use serde_json::Value;

use super::{field, image, list};

/// A request, reduced to what the answer depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ask {
    /// Texts of the last user turn.
    pub(crate) said: Vec<String>,
    /// Tool results of the last user turn.
    pub(crate) results: Vec<String>,
    /// Sentences about the images and files of the last user turn.
    pub(crate) sights: Vec<String>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    pub(crate) calls_at_once: Calls,
    /// Calls in the history: ids continue their count.
    pub(crate) earlier_calls: usize,
    /// None leaves the length to the model.
    pub(crate) max_tokens: Option<u64>,
    pub(crate) stops: Vec<String>,
    pub(crate) thinking: Thinking,
    pub(crate) format: Format,
    pub(crate) input_tokens: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// JSON schema of its input.
    pub(crate) schema: Value,
}

/// Whether tools may, must or must not be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Auto,
    Any,
    Named(String),
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Calls {
    #[default]
    Many,
    One,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Thinking {
    #[default]
    Off,
    On,
}

/// The form of the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Format {
    #[default]
    Text,
    /// Any JSON object.
    Json,
    /// JSON that fits a schema.
    Schema(Value),
}

impl Ask {
    /// Adds what one file of the last user turn looks like.
    pub(crate) fn see(&mut self, media_type: &str, base64: &str) {
        self.sights.push(image::describe(media_type, base64));
    }

    /// The texts of the last user turn as one.
    pub(crate) fn text(&self) -> String {
        self.said.join(" ")
    }

    /// Tool names after the word "call": `call a`, `call a and b`, `call a, b`.
    pub(crate) fn tools_asked_for(&self) -> Vec<&Tool> {
        let bare = |word: &str| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
            word.to_owned()
        };
        let text = self.text();
        text.split_whitespace()
            .map(bare)
            .skip_while(|word| !word.eq_ignore_ascii_case("call"))
            .skip(1)
            .filter(|word| !matches!(word.as_str(), "and" | ""))
            .map_while(|word| self.tools.iter().find(|tool| tool.name == word))
            .collect()
    }
}

/// Words of every string; a file counts as one.
pub(crate) fn count_words(value: &Value) -> u64 {
    match value {
        Value::String(text) if text.starts_with("data:") => 1,
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

/// Words of these top-level fields of a body.
pub(crate) fn count_fields(body: &Value, names: &[&str]) -> u64 {
    let fields = names.iter().filter_map(|name| body.get(name));
    fields.map(count_words).sum()
}

pub(crate) fn words(text: &str) -> u64 {
    u64::try_from(text.split_whitespace().count()).unwrap_or(u64::MAX)
}

/// The strings of a list field; a string field is a list of one.
pub(crate) fn strings(body: &Value, name: &str) -> Vec<String> {
    let single = field(body, name).into_iter();
    let many = list(body, name).iter().filter_map(Value::as_str);
    single.chain(many).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tools_are_called_when_the_user_asks_for_them() {
        let tool = |name: &str| Tool {
            name: name.to_owned(),
            schema: json!({}),
        };
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
            let ask = Ask {
                said: vec![text.to_owned()],
                tools: vec![tool("get_weather"), tool("get_time")],
                ..Ask::default()
            };
            let asked = ask.tools_asked_for();
            let names: Vec<&str> = asked.iter().map(|tool| tool.name.as_str()).collect();
            assert_eq!(names, expected, "{text}");
        }
    }
}
