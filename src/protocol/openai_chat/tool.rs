//! Tools and the choice among them.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::content::CacheControl;
use crate::json::Text;

/// A tool that the model may call.
#[derive(Clone, Debug, Deserialize)]
pub struct Tool<'a> {
    /// `function`; other kinds have no counterpart on Bedrock.
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    /// Of `function` tools.
    #[serde(default, borrow)]
    pub function: Option<Function<'a>>,
    /// Extension: ends a prefix of the request that the model may cache.
    #[serde(default)]
    pub cache_control: Option<CacheControl>,
}

/// A function that the model may call.
#[derive(Clone, Debug, Deserialize)]
pub struct Function<'a> {
    /// Name of the function.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// What it does.
    #[serde(default, borrow)]
    pub description: Option<Text<'a>>,
    /// JSON schema of its arguments, kept as it was written.
    #[serde(default, borrow)]
    pub parameters: Option<&'a RawValue>,
    /// Whether arguments must fit the schema exactly.
    #[serde(default)]
    pub strict: Option<bool>,
}

/// Which tools the model may or must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice<'a> {
    /// `none`, `auto` or `required`.
    Mode(ToolChoiceMode),
    /// This function.
    Function(Text<'a>),
    /// Some of the functions.
    Allowed(ToolChoiceMode, Vec<Text<'a>>),
}

/// How freely the model chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoiceMode {
    /// Calls nothing.
    None,
    /// Decides itself.
    Auto,
    /// Calls at least one.
    Required,
}

impl ToolChoice<'_> {
    /// Whether it only says what models do anyway.
    #[must_use]
    pub fn is_neutral(&self) -> bool {
        matches!(
            self,
            Self::Mode(ToolChoiceMode::None | ToolChoiceMode::Auto)
        )
    }
}

/// The older `function_call`: `none`, `auto` or `{"name"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegacyChoice<'a> {
    /// `none` or `auto`.
    Mode(ToolChoiceMode),
    /// This function.
    Function(Text<'a>),
}

impl<'de: 'a, 'a> Deserialize<'de> for LegacyChoice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LegacyVisitor;

        impl<'de> Visitor<'de> for LegacyVisitor {
            type Value = LegacyChoice<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none`, `auto` or an object with a `name`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    "none" => Ok(LegacyChoice::Mode(ToolChoiceMode::None)),
                    "auto" => Ok(LegacyChoice::Mode(ToolChoiceMode::Auto)),
                    other => Err(E::unknown_variant(other, &["none", "auto"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let named = Named::deserialize(MapAccessDeserializer::new(map))?;
                Ok(LegacyChoice::Function(named.name))
            }
        }

        deserializer.deserialize_any(LegacyVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ToolChoice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

struct ChoiceVisitor;

/// The object forms of `tool_choice`, flat.
#[derive(Deserialize)]
struct ChoiceObject<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(default, borrow)]
    function: Option<Named<'a>>,
    #[serde(default, borrow)]
    allowed_tools: Option<Allowed<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct Allowed<'a> {
    mode: ToolChoiceMode,
    #[serde(borrow)]
    tools: Vec<AllowedTool<'a>>,
}

#[derive(Deserialize)]
struct AllowedTool<'a> {
    #[serde(borrow)]
    function: Named<'a>,
}

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = ToolChoice<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`none`, `auto`, `required`, a function choice or `allowed_tools`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let mode = match text {
            "none" => ToolChoiceMode::None,
            "auto" => ToolChoiceMode::Auto,
            "required" => ToolChoiceMode::Required,
            other => return Err(E::unknown_variant(other, &["none", "auto", "required"])),
        };
        Ok(ToolChoice::Mode(mode))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let choice = ChoiceObject::deserialize(MapAccessDeserializer::new(map))?;
        match (&*choice.kind, choice.function, choice.allowed_tools) {
            ("function", Some(function), _) => Ok(ToolChoice::Function(function.name)),
            ("allowed_tools", _, Some(allowed)) => {
                let names = allowed.tools.into_iter().map(|tool| tool.function.name);
                Ok(ToolChoice::Allowed(allowed.mode, names.collect()))
            }
            ("function", None, _) => Err(A::Error::missing_field("function")),
            ("allowed_tools", _, None) => Err(A::Error::missing_field("allowed_tools")),
            (other, ..) => Err(A::Error::unknown_variant(
                other,
                &["function", "allowed_tools"],
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_tool_choice_is_read() {
        let check = |json: &str, expected: ToolChoice<'_>| {
            assert_eq!(
                serde_json::from_str::<ToolChoice<'_>>(json).unwrap(),
                expected
            );
        };
        let name = |name: &'static str| Text::from(name);
        check(r#""none""#, ToolChoice::Mode(ToolChoiceMode::None));
        check(r#""required""#, ToolChoice::Mode(ToolChoiceMode::Required));
        check(
            r#"{"type":"function","function":{"name":"f"}}"#,
            ToolChoice::Function(name("f")),
        );
        check(
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            ToolChoice::Allowed(ToolChoiceMode::Auto, vec![name("f")]),
        );
    }

    #[test]
    fn what_is_no_tool_choice_says_what_would_be() {
        let check = |json: &str, expected: &str| {
            let error = serde_json::from_str::<ToolChoice<'_>>(json).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(r#""any""#, "`required`");
        check("5", "a function choice");
        check(r#"{"type":"function"}"#, "missing field `function`");
        check(r#"{"type":"custom"}"#, "unknown variant `custom`");
    }
}
