//! `response_format`: the shape of the answer.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::value::RawValue;

use crate::json::Text;

/// The shape that the answer must have.
///
/// <https://platform.openai.com/docs/guides/structured-outputs>
#[derive(Clone, Debug)]
pub enum ResponseFormat<'a> {
    /// Free text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema(JsonSchema<'a>),
}

/// A named schema.
#[derive(Clone, Debug, Deserialize)]
pub struct JsonSchema<'a> {
    /// Name of the shape.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// What it is for.
    #[serde(default, borrow)]
    pub description: Option<Text<'a>>,
    /// The JSON schema, as it was written.
    #[serde(default, borrow)]
    pub schema: Option<&'a RawValue>,
    /// Whether the answer must fit exactly.
    #[serde(default)]
    pub strict: Option<bool>,
}

impl ResponseFormat<'_> {
    /// Whether it asks for nothing special.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ResponseFormat<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Object<'a> {
            #[serde(rename = "type", borrow)]
            kind: Text<'a>,
            #[serde(default, borrow)]
            json_schema: Option<JsonSchema<'a>>,
        }

        let object = Object::deserialize(deserializer)?;
        match (&*object.kind, object.json_schema) {
            ("text", _) => Ok(Self::Text),
            ("json_object", _) => Ok(Self::JsonObject),
            ("json_schema", Some(schema)) => Ok(Self::JsonSchema(schema)),
            ("json_schema", None) => Err(D::Error::missing_field("json_schema")),
            (other, _) => Err(D::Error::unknown_variant(
                other,
                &["text", "json_object", "json_schema"],
            )),
        }
    }
}
