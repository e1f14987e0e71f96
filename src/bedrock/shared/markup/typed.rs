//! Values that are bare text, and their types by the tool's schema.

use serde_json::Value;
use serde_json::value::RawValue;

use super::calls::{Call, Offer};

/// Arguments that are being put together.
pub(super) struct Object {
    name: String,
    properties: Value,
    json: String,
}

impl Object {
    /// No arguments yet, for a tool by its client's name.
    pub(super) fn of(name: &str, offer: Offer<'_>) -> Self {
        Self {
            name: name.to_owned(),
            properties: offer.schemas.properties(name),
            json: String::new(),
        }
    }

    /// Adds a value of the type in the schema. If the schema has none, a value that reads as JSON is JSON.
    pub(super) fn add(&mut self, key: &str, value: &str) {
        let kinds = self.properties.get(key).map(kinds).unwrap_or_default();
        let has = |kind: &str| kinds.iter().any(|own| own == kind);
        let is_null = value.trim() == "null" && has("null");
        if has("string") && !is_null {
            return self.add_string(key, value);
        }
        let is_word = kinds.is_empty() && value.trim_start().starts_with('"');
        if is_word {
            return self.add_string(key, value);
        }
        // Models that were taught Python write its constants.
        let value = match value.trim() {
            "True" => "true",
            "False" => "false",
            "None" => "null",
            _ => value,
        };
        self.add_json(key, value);
    }

    /// Adds a string.
    pub(super) fn add_string(&mut self, key: &str, value: &str) {
        self.member(key, &Value::from(value).to_string());
    }

    /// Adds JSON, or a string if it is not JSON.
    pub(super) fn add_json(&mut self, key: &str, value: &str) {
        match serde_json::from_str::<&RawValue>(value.trim()) {
            Ok(json) => self.member(key, json.get()),
            Err(_) => self.add_string(key, value),
        }
    }

    /// The call with these arguments.
    pub(super) fn call(self) -> Call {
        Call {
            id: None,
            name: self.name,
            arguments: format!("{{{}}}", self.json),
        }
    }

    fn member(&mut self, key: &str, json: &str) {
        if !self.json.is_empty() {
            self.json.push(',');
        }
        self.json.push_str(&Value::from(key).to_string());
        self.json.push(':');
        self.json.push_str(json);
    }
}

/// The types that a schema allows, as far as it names any.
fn kinds(schema: &Value) -> Vec<String> {
    let own = |value: &Value| match value {
        Value::String(kind) => vec![kind.clone()],
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            kinds.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let mut all = schema.get("type").map(own).unwrap_or_default();
    let alternatives = ["anyOf", "oneOf"]
        .into_iter()
        .filter_map(|word| schema.get(word)?.as_array());
    all.extend(
        alternatives
            .flatten()
            .filter_map(|choice| choice.get("type"))
            .flat_map(own),
    );
    let words = schema.get("enum").and_then(Value::as_array);
    if all.is_empty() && words.is_some_and(|words| words.iter().all(Value::is_string)) {
        all.push("string".to_owned());
    }
    all
}
