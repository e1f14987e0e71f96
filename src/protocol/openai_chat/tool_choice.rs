//! The choice among tools.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::json::Text;
use crate::protocol::openai::value::{optional_word, word};

/// Which tools the model may or must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice<'a> {
    /// `none`, `auto` or `required`.
    Mode(ToolChoiceMode),
    /// This tool.
    Function(Text<'a>),
    /// Some of the tools.
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

impl ToolChoiceMode {
    /// The mode of a name; `any` is Anthropic's for `required`.
    fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "auto" => Some(Self::Auto),
            "required" | "any" => Some(Self::Required),
            _ => None,
        }
    }
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

/// The object forms of `tool_choice`, flat: OpenAI's own, those of its Responses API, and Anthropic's.
#[derive(Deserialize)]
struct ChoiceObject<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(default, borrow)]
    function: Option<Named<'a>>,
    #[serde(default, borrow)]
    custom: Option<Named<'a>>,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    #[serde(default, borrow)]
    allowed_tools: Option<Allowed<'a>>,
    #[serde(default, deserialize_with = "optional_word")]
    mode: Option<ToolChoiceMode>,
    #[serde(default, borrow)]
    tools: Option<Vec<AllowedTool<'a>>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct Allowed<'a> {
    #[serde(deserialize_with = "word")]
    mode: ToolChoiceMode,
    #[serde(borrow)]
    tools: Vec<AllowedTool<'a>>,
}

#[derive(Deserialize)]
struct AllowedTool<'a> {
    #[serde(default, borrow)]
    function: Option<Named<'a>>,
    #[serde(default, borrow)]
    custom: Option<Named<'a>>,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
}

/// The names of those that may be called; others are of kinds that the request cannot have either.
fn names(tools: Vec<AllowedTool<'_>>) -> Vec<Text<'_>> {
    let names = tools.into_iter();
    let names = names.filter_map(|tool| {
        let own = tool.function.or(tool.custom);
        own.map(|own| own.name).or(tool.name)
    });
    names.collect()
}

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = ToolChoice<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`none`, `auto`, `required`, a function choice or `allowed_tools`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match ToolChoiceMode::named(text) {
            Some(mode) => Ok(ToolChoice::Mode(mode)),
            None => Err(E::unknown_variant(text, &["none", "auto", "required"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let choice = ChoiceObject::deserialize(MapAccessDeserializer::new(map))?;
        if let Some(mode) = ToolChoiceMode::named(&choice.kind) {
            return Ok(ToolChoice::Mode(mode));
        }
        match &*choice.kind {
            "function" | "tool" => {
                let name = choice.function.map(|function| function.name);
                let name = name.or(choice.name);
                name.map(ToolChoice::Function)
                    .ok_or_else(|| A::Error::missing_field("function"))
            }
            "custom" => {
                let name = choice.custom.map(|custom| custom.name);
                let name = name.or(choice.name);
                name.map(ToolChoice::Function)
                    .ok_or_else(|| A::Error::missing_field("custom"))
            }
            "allowed_tools" => {
                let nested = choice.allowed_tools.map(|own| (own.mode, own.tools));
                let allowed = nested.or(choice.mode.zip(choice.tools));
                let (mode, tools) =
                    allowed.ok_or_else(|| A::Error::missing_field("allowed_tools"))?;
                Ok(ToolChoice::Allowed(mode, names(tools)))
            }
            other => Err(A::Error::unknown_variant(
                other,
                &[
                    "none",
                    "auto",
                    "required",
                    "function",
                    "custom",
                    "allowed_tools",
                ],
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
        for one in [
            r#"{"type":"function","function":{"name":"f"}}"#,
            r#"{"type":"function","name":"f"}"#,
            r#"{"type":"tool","name":"f"}"#,
            r#"{"type":"custom","custom":{"name":"f"}}"#,
            r#"{"type":"custom","name":"f"}"#,
        ] {
            check(one, ToolChoice::Function(name("f")));
        }
        for some in [
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            r#"{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]}"#,
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"custom","custom":{"name":"f"}}]}}"#,
        ] {
            check(
                some,
                ToolChoice::Allowed(ToolChoiceMode::Auto, vec![name("f")]),
            );
        }
        for any in [r#""any""#, r#"{"type":"any"}"#, r#"{"type":"required"}"#] {
            check(any, ToolChoice::Mode(ToolChoiceMode::Required));
        }
        let auto = r#"{"type":"auto","disable_parallel_tool_use":false}"#;
        check(auto, ToolChoice::Mode(ToolChoiceMode::Auto));
    }

    #[test]
    fn what_is_no_tool_choice_says_what_would_be() {
        let check = |json: &str, expected: &str| {
            let error = serde_json::from_str::<ToolChoice<'_>>(json).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(r#""all""#, "`required`");
        check("5", "a function choice");
        check(r#"{"type":"function"}"#, "missing field `function`");
        check(r#"{"type":"custom"}"#, "missing field `custom`");
        check(r#"{"type":"web_search"}"#, "unknown variant `web_search`");
    }
}
