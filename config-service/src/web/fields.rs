//! The fields of a form, and the body of the API's that they stand for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::harmless;
use crate::channel::{Channel, Input, SETTINGS, Setting, StoredChannel};
use crate::edit;

/// Parts of `credentials`, by kind: the field of the form, and its name in the API.
const STATIC_KEY: [(&str, &str); 3] = [
    ("access_key_id", "access_key_id"),
    ("secret_access_key", "secret_access_key"),
    ("session_token", "session_token"),
];

/// What a browser sent, or what is to be shown: text by field.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Values(BTreeMap<String, String>);

impl Values {
    /// What a browser sent; the last value of a field counts.
    pub(super) fn sent(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// A new channel's.
    pub(super) fn blank() -> Self {
        let mut values = Self::of(&edit::blank());
        for stand_in in ["name", "region"] {
            values.0.remove(stand_in);
        }
        values.set("credential_kind", "static");
        values
    }

    /// A stored channel's. Secrets are not among them.
    pub(super) fn stored(stored: &StoredChannel) -> Self {
        let mut values = Self::of(&stored.channel);
        values.set("credential_kind", "keep");
        values.set("revision", stored.revision.to_string());
        values
    }

    fn of(channel: &Channel) -> Self {
        let texts = SETTINGS.iter().filter_map(|setting| {
            let text = text_of(&setting.show(channel))?;
            Some((setting.name.to_owned(), text))
        });
        Self(texts.collect())
    }

    /// The text of a field; empty when there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn set(&mut self, name: &str, text: impl Into<String>) {
        self.0.insert(name.to_owned(), text.into());
    }

    /// The token of the form.
    pub(super) fn csrf(&self) -> Option<&str> {
        self.0.get("csrf").map(String::as_str)
    }

    /// The revision that the form was made from.
    pub(super) fn revision(&self) -> Option<u64> {
        self.get("revision").parse().ok()
    }

    /// Forgets what must not be shown again.
    pub(super) fn without_secrets(mut self) -> Self {
        for name in ["secret_access_key", "session_token", "api_key", "csrf"] {
            self.0.remove(name);
        }
        if let Some(text) = self.0.get_mut("credentials_json") {
            *text = harmless::credentials(text);
        }
        self
    }

    /// The body that says the same to the API. A form of an earlier version knows fewer fields, and
    /// says nothing about the others.
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        let is_known = |own: &&Setting| own.input == Input::Tick || self.0.contains_key(own.name);
        for setting in SETTINGS.iter().filter(is_known) {
            body.insert(setting.name.to_owned(), self.value(setting));
        }
        if let Some(credentials) = self.credentials() {
            body.insert("credentials".to_owned(), credentials);
        }
        Value::Object(body)
    }

    fn value(&self, setting: &Setting) -> Value {
        let text = self.get(setting.name);
        match setting.input {
            Input::Tick => Value::Bool(!text.is_empty()),
            Input::Number => {
                let number = text.trim().parse::<u64>();
                number.map_or_else(|_| Value::from(text), Value::from)
            }
            Input::Lines => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(Value::from).collect()
            }
            Input::Object if text.trim().is_empty() => Value::Null,
            Input::Object => json_or_text(text),
            // The API reads a map from a string too, and says where a fault is.
            Input::Map if text.trim().is_empty() => Value::from(""),
            Input::Map | Input::Text => Value::from(text),
        }
    }

    /// The credentials that were entered; `None` keeps those that are stored.
    fn credentials(&self) -> Option<Value> {
        let kind = self.get("credential_kind");
        let mut credentials = Map::new();
        credentials.insert("type".to_owned(), Value::from(kind));
        match kind {
            "static" => {
                for (field, name) in STATIC_KEY {
                    let text = self.get(field).trim();
                    if !text.is_empty() || name != "session_token" {
                        credentials.insert(name.to_owned(), Value::from(text));
                    }
                }
            }
            "bedrock_api_key" => {
                let text = self.get("api_key").trim();
                credentials.insert("api_key".to_owned(), Value::from(text));
            }
            "json" => return Some(json_or_text(self.get("credentials_json"))),
            _ => return None,
        }
        Some(Value::Object(credentials))
    }
}

/// How a stored value stands in its field; `None` where the field is empty.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(ticked) => ticked.then(|| "on".to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let lines: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            Some(lines.join("\n"))
        }
        Value::Object(fields) if fields.is_empty() => None,
        Value::Object(_) => serde_json::to_string_pretty(value).ok(),
        Value::Number(number) => Some(number.to_string()),
    }
}

fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::FIELDS;
    use serde_json::json;

    fn sent(pairs: &[(&str, &str)]) -> Values {
        let pairs = pairs.iter();
        Values::sent(
            pairs
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn fields_become_the_body_of_an_edit() {
        let body = sent(&[
            ("name", "a"),
            ("enabled", "on"),
            ("priority", "2"),
            ("weight", "many"),
            ("models", " m \n\nn"),
            ("model_mapping", "{\"a\": \"b\"}"),
            ("guardrail", ""),
            ("credential_kind", "static"),
            ("access_key_id", "AKID"),
            ("secret_access_key", "s"),
        ])
        .body();
        assert_eq!(body["enabled"], true);
        assert_eq!(body["fips"], false);
        assert_eq!(body["priority"], 2);
        assert_eq!(body["weight"], "many");
        assert_eq!(body["models"], json!(["m", "n"]));
        assert_eq!(body["model_mapping"], "{\"a\": \"b\"}");
        assert_eq!(body["guardrail"], Value::Null);
        assert_eq!(
            body["credentials"],
            json!({"type": "static", "access_key_id": "AKID", "secret_access_key": "s"})
        );
        let body = sent(&[("credential_kind", "keep")]).body();
        assert!(body.get("credentials").is_none());
    }

    #[test]
    fn every_field_of_a_form_is_in_the_body_and_no_other_but_boxes() {
        let mut fields: Vec<_> = FIELDS.iter().map(|name| (*name, "")).collect();
        fields.extend([("credential_kind", "json"), ("credentials_json", "{}")]);
        let body = sent(&fields).body();
        for field in FIELDS {
            assert!(body.get(*field).is_some(), "{field}");
        }
        let body = sent(&[("name", "a")]).body();
        let boxes = json!({"enabled": false, "fips": false, "retry_with_inference_profile": false});
        let mut expected = boxes;
        expected["name"] = json!("a");
        assert_eq!(body, expected);
    }
}
