//! Instructions in the text of a request, for which its body has no field. The model follows them.

use serde_json::Value;

use super::ask::{Choice, Format};

/// What introduces a schema that the answer has to fit.
const SCHEMA: &str = "JSON schema: ";
const OBJECT: &str = "one JSON object and nothing else";
const ANY_TOOL: &str = "Call at least one of the tools";
const THIS_TOOL: &str = "Call the tool `";

/// Members of bodies that offer tools: what they say is about the tools.
const TOOLS: [&str; 2] = ["tools", "toolConfig"];

/// Wishes in words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// The form of the answer.
    pub(crate) format: Format,
    /// What to call before the answer.
    pub(crate) choice: Choice,
}

impl Told {
    /// What the texts of a body ask for; of two that contradict each other, the later.
    pub(crate) fn by(body: &Value) -> Self {
        let mut told = Self::default();
        told.read(body);
        told
    }

    fn read(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.hear(text),
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            Value::Object(members) => {
                let texts = members
                    .iter()
                    .filter(|(name, _)| !TOOLS.contains(&name.as_str()));
                texts.for_each(|(_, value)| self.read(value));
            }
            _ => {}
        }
    }

    fn hear(&mut self, text: &str) {
        if let Some(schema) = schema(text) {
            self.format = Format::Schema(schema);
        } else if text.contains(OBJECT) {
            self.format = Format::Json;
        }
        if let Some((_, rest)) = text.split_once(THIS_TOOL) {
            let name = rest.split('`').next().unwrap_or_default();
            self.choice = Choice::Named(name.to_owned());
        } else if text.contains(ANY_TOOL) {
            self.choice = Choice::Any;
        }
    }
}

/// The object behind the words that introduce a schema.
fn schema(text: &str) -> Option<Value> {
    let (_, rest) = text.rsplit_once(SCHEMA)?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    values.next()?.ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_ask_for_a_form_and_for_a_call() {
        let schema = json!({"type": "object", "properties": {}});
        for (body, format, choice) in [
            (
                json!({"prompt": format!("<s> It fits this JSON schema: {schema} A note.</s>")}),
                Format::Schema(schema.clone()),
                Choice::Auto,
            ),
            (
                json!({"system": [{"text": "It is one JSON object and nothing else: no words."}]}),
                Format::Json,
                Choice::Auto,
            ),
            (
                json!({"preamble": "Call the tool `f` before you answer."}),
                Format::Text,
                Choice::Named("f".to_owned()),
            ),
            (
                json!({"messages": ["Call at least one of the tools before you answer."]}),
                Format::Text,
                Choice::Any,
            ),
            (
                json!({"tools": [{"description": format!("JSON schema: {schema}")}], "text": "JSON schema: none"}),
                Format::Text,
                Choice::Auto,
            ),
        ] {
            assert_eq!(Told::by(&body), Told { format, choice }, "{body}");
        }
    }
}
