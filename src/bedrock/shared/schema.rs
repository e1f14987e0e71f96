//! JSON schemas, for models that support only part of JSON Schema.

mod bare;
mod inline;
mod object;
mod subset;
mod wrap;

pub(in crate::bedrock) use bare::bare;
pub(in crate::bedrock) use inline::inline;
pub(in crate::bedrock) use object::{Object, object};
pub(in crate::bedrock) use subset::{held, in_subset};
pub(in crate::bedrock) use wrap::{VALUE, is_objects, wrapped};

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::chat::Error;
use crate::json::Text;

/// Keywords under which a schema keeps the schemas that it refers to.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// How deeply schemas are read. Anything deeper stays unchanged, so that no request can exhaust the stack.
const MAX_DEPTH: usize = 32;

/// A JSON object: its members in order, each value as it was written.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct Members<'a>(pub(in crate::bedrock) Vec<(Text<'a>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of a value; none if it is not an object.
    pub(in crate::bedrock) fn of(value: &'a RawValue) -> Self {
        serde_json::from_str(value.get()).unwrap_or_default()
    }

    /// The value of a member.
    pub(in crate::bedrock) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let member = self.0.iter().find(|(own, _)| &**own == name);
        member.map(|(_, value)| *value)
    }

    /// The value of a member that is a string.
    pub(in crate::bedrock) fn text(&self, name: &str) -> Option<Text<'a>> {
        self.get(name)
            .and_then(|value| serde_json::from_str(value.get()).ok())
    }
}

/// The schemas that a schema keeps for references, by the keyword under which it keeps them.
struct Definitions<'a>(Vec<(&'static str, Members<'a>)>);

impl<'a> Definitions<'a> {
    fn of(root: &Members<'a>) -> Self {
        let found = DEFINITIONS
            .iter()
            .filter_map(|keyword| Some((*keyword, Members::of(root.get(keyword)?))));
        Self(found.collect())
    }

    /// The name and the schema behind a reference, if it can be followed.
    fn target(&self, members: &Members<'a>) -> Option<(&'a str, &'a RawValue)> {
        let reference: &'a str = serde_json::from_str(members.get("$ref")?.get()).ok()?;
        let (keyword, name) = reference.strip_prefix("#/")?.split_once('/')?;
        let (_, definitions) = self.0.iter().find(|(own, _)| *own == keyword)?;
        Some((name, definitions.get(name)?))
    }
}

/// JSON without the white space between its tokens.
pub(in crate::bedrock) fn compact(json: &RawValue) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let kept = json.get().chars().filter(|c| {
        let keep = in_string || !c.is_ascii_whitespace();
        if escaped {
            escaped = false;
        } else if *c == '"' {
            in_string = !in_string;
        } else {
            escaped = in_string && *c == '\\';
        }
        keep
    });
    kept.collect()
}

/// JSON that this program wrote.
///
/// # Errors
///
/// A 500 when it is not JSON.
pub(in crate::bedrock) fn owned<'a>(json: String) -> Result<Cow<'a, RawValue>, Error> {
    RawValue::from_string(json)
        .map(Cow::Owned)
        .map_err(|error| Error::encoding(&error))
}

/// Writes the name of a member of an object that is being written, with a comma before all except the first.
fn push_name(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push_str(&quoted(name));
    out.push(':');
}

/// A text as JSON. A string always serialises.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_kept_in_strings_only() {
        let json = r#"{ "a b" : [ 1 , "x \" y\\" ] }"#;
        let json = RawValue::from_string(json.to_owned()).unwrap();
        assert_eq!(compact(&json), r#"{"a b":[1,"x \" y\\"]}"#);
    }
}
