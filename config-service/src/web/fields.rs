//! The fields of a form, and the API body that they correspond to.

use std::collections::BTreeMap;

use bedrock_filter::config::looks_like_secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::without_secrets;
use crate::channel::{Channel, SETTINGS, StoredChannel};
use crate::edit;
use crate::setting::{self, Input};

/// Parts of `credentials`, by type: the form's field, and its name in the API.
const STATIC_KEY: [(&str, &str); 3] = [
    ("access_key_id", "access_key_id"),
    ("secret_access_key", "secret_access_key"),
    ("session_token", "session_token"),
];

/// What a browser sent, or what to show: text by field.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Values(BTreeMap<String, String>);

impl Values {
    /// What a browser sent; the last value of a field counts.
    pub(super) fn sent(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// Those of a new channel.
    pub(super) fn blank() -> Self {
        let mut values = Self::of(&edit::blank());
        for stand_in in ["name", "region"] {
            values.0.remove(stand_in);
        }
        values.set("credential_kind", "static");
        values
    }

    /// Those of a stored channel, without secrets.
    pub(super) fn stored(stored: &StoredChannel) -> Self {
        let mut values = Self::of(&stored.channel);
        values.set("credential_kind", "keep");
        values.set("revision", stored.revision.to_string());
        values
    }

    fn of(channel: &Channel) -> Self {
        Self::showing(SETTINGS, channel)
    }

    /// The values of settings.
    pub(super) fn showing<S>(settings: &[setting::Setting<S>], of: &S) -> Self {
        let texts = settings.iter().filter_map(|setting| {
            let text = text_of(&setting.show(of))?;
            Some((setting.name.to_owned(), text))
        });
        Self(texts.collect())
    }

    /// The text of a field; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn set(&mut self, name: &str, text: impl Into<String>) {
        self.0.insert(name.to_owned(), text.into());
    }

    /// The form's token.
    pub(super) fn csrf(&self) -> Option<&str> {
        self.0.get("csrf").map(String::as_str)
    }

    /// The revision that the form was based on.
    pub(super) fn revision(&self) -> Option<u64> {
        self.get("revision").parse().ok()
    }

    /// Removes what must not be shown again.
    pub(super) fn without_secrets(mut self) -> Self {
        for name in ["secret_access_key", "session_token", "api_key", "csrf"] {
            self.0.remove(name);
        }
        // Whoever swaps the two enters the secret as the id.
        if let Some(id) = self
            .0
            .get_mut("access_key_id")
            .filter(|id| looks_like_secret(id))
        {
            id.clear();
        }
        if let Some(text) = self.0.get_mut("credentials_json") {
            *text = without_secrets::credentials(text);
        }
        self
    }

    /// The equivalent API body. A form from an earlier version has fewer fields, and leaves the
    /// others unchanged.
    pub(super) fn body(&self) -> Value {
        let mut body = self.body_of(SETTINGS);
        if let Some(credentials) = self.credentials() {
            body.insert("credentials".to_owned(), credentials);
        }
        Value::Object(body)
    }

    /// The settings that the form has, as a body has them.
    pub(super) fn body_of<S>(&self, settings: &[setting::Setting<S>]) -> Map<String, Value> {
        let known = settings
            .iter()
            .filter(|own| own.input == Input::Tick || self.0.contains_key(own.name));
        known
            .map(|own| (own.name.to_owned(), self.value(own.name, own.input)))
            .collect()
    }

    fn value(&self, name: &str, input: Input) -> Value {
        let text = self.get(name);
        match input {
            Input::Tick => Value::Bool(!text.is_empty()),
            Input::Number => {
                let number = serde_json::from_str::<Number>(text.trim());
                number.map_or_else(|_| Value::from(text.trim()), Value::Number)
            }
            Input::Lines => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(Value::from).collect()
            }
            // The API also reads these from a string, and says where a fault is.
            Input::Map | Input::Object => Value::from(text),
            // Nobody sees a blank at the end of a line.
            Input::Text => Value::from(text.trim()),
        }
    }

    /// The credentials that were entered; `None` keeps the stored ones.
    pub(super) fn credentials(&self) -> Option<Value> {
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
            "shared" => {
                let text = self.get("shared_credential").trim();
                credentials.insert("name".to_owned(), Value::from(text));
            }
            "json" => return Some(Value::from(self.get("credentials_json"))),
            _ => return None,
        }
        Some(Value::Object(credentials))
    }
}

/// A stored value as shown in its field; `None` if the field is empty.
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
        assert_eq!(body["guardrail"], "");
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
