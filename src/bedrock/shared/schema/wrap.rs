//! Wraps schemas of answers that are not objects for use as tools, whose arguments always are.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::object::{ALL, ALTERNATIVES, MAX_SCHEMAS, list};
use super::{DEFINITIONS, Definitions, MAX_DEPTH, Members, owned, push_name, quoted};
use crate::chat::Error;
use crate::json::without_halves;

/// The only member of the object that holds the answer.
pub(in crate::bedrock) const VALUE: &str = "value";

/// Keywords with which a schema without a type says that no object fits it.
const NO_OBJECT: [&str; 4] = ["enum", "const", "items", "prefixItems"];

/// The keyword of a schema that is elsewhere.
const REFERENCE: &str = "$ref";

/// Keywords that only make sense at the root of a whole schema.
const OF_THE_ROOT: [&str; 2] = ["$schema", "$id"];

/// Whether a schema allows only objects, judging by its root. A root that does not say counts as one that does,
/// because that is what clients mean by it.
pub(in crate::bedrock) fn is_objects(schema: &RawValue) -> bool {
    let members = Members::of(schema);
    let mut reader = Reader {
        definitions: Definitions::of(&members),
        left: MAX_SCHEMAS,
    };
    reader.is_objects(&members, 0)
}

struct Reader<'a> {
    definitions: Definitions<'a>,
    /// How many more schemas are read.
    left: usize,
}

impl<'a> Reader<'a> {
    fn is_objects(&mut self, members: &Members<'a>, depth: usize) -> bool {
        if depth >= MAX_DEPTH || self.left == 0 {
            return true;
        }
        self.left -= 1;
        // A name, or a list of names. Some clients write `null` for nothing.
        if let Some(kind) = members.get("type").map(RawValue::get)
            && kind != "null"
        {
            return kind.contains(r#""object""#);
        }
        if let Some((_, target)) = self.definitions.target(members) {
            return self.is_objects(&Members::of(target), depth + 1);
        }
        if NO_OBJECT.iter().any(|name| members.get(name).is_some()) {
            return false;
        }
        let inner = ALTERNATIVES.iter().chain([&ALL]);
        let inner: Vec<_> = inner.flat_map(|keyword| list(members, keyword)).collect();
        inner
            .into_iter()
            .all(|schema| self.is_objects(&Members::of(schema), depth + 1))
    }
}

/// The schema of an object that holds what fits this schema as its only member. References still find their
/// definitions, which stay at the root.
///
/// # Errors
///
/// Never for a JSON object.
pub(in crate::bedrock) fn wrapped<'a>(schema: &RawValue) -> Result<Cow<'a, RawValue>, Error> {
    if let Some(repaired) = without_halves(schema.get()) {
        return wrapped(&owned(repaired)?);
    }
    let (mut value, mut definitions) = ("{".to_owned(), String::new());
    let members = Members::of(schema);
    let kept = members.0.iter();
    for (name, own) in kept.filter(|(name, _)| !OF_THE_ROOT.contains(&&**name)) {
        let out = if DEFINITIONS.contains(&&**name) {
            &mut definitions
        } else {
            &mut value
        };
        push_name(out, name);
        write_moved(name, own, 0, out);
    }
    owned(format!(
        r#"{{"type":"object","properties":{{"{VALUE}":{value}}}}},"required":["{VALUE}"]{definitions}}}"#
    ))
}

/// Writes a member's value, in which references to what is not a definition lead to where the schema is now.
fn write_moved(name: &str, value: &RawValue, depth: usize, out: &mut String) {
    let text = value.get();
    let reference = || serde_json::from_str::<String>(text).ok();
    if name == REFERENCE
        && let Some(moved) = reference().as_deref().and_then(moved)
    {
        out.push_str(&quoted(&moved));
    } else if depth >= MAX_DEPTH || !text.contains("\"$ref\"") {
        out.push_str(text);
    } else if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        out.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_moved("", item, depth + 1, out);
        }
        out.push(']');
    } else {
        out.push('{');
        for (name, own) in &Members::of(value).0 {
            push_name(out, name);
            write_moved(name, own, depth + 1, out);
        }
        out.push('}');
    }
}

/// Where a reference into the schema leads now; `None` if it leads to a definition, or out of the schema.
fn moved(reference: &str) -> Option<String> {
    let path = reference.strip_prefix('#')?;
    let into = path.strip_prefix('/');
    let first = into.map(|into| into.split('/').next().unwrap_or_default());
    let is_definition = first.is_some_and(|first| DEFINITIONS.contains(&first));
    // Anything else behind the sign is the name of an anchor.
    let is_path = path.is_empty() || into.is_some();
    (is_path && !is_definition).then(|| format!("#/properties/{VALUE}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn only_what_says_so_is_no_object() {
        for (schema, expected) in [
            ("{}", true),
            (r#"{"properties":{}}"#, true),
            (r#"{"type":null}"#, true),
            (r#"{"type":"object"}"#, true),
            (r#"{"type":["object","null"]}"#, true),
            (r#"{"type":"array","items":{"type":"object"}}"#, false),
            (r#"{"type":["string","null"]}"#, false),
            (r#"{"enum":["a","b"]}"#, false),
            (r#"{"items":{}}"#, false),
            (r#"{"anyOf":[{"type":"object"},{"required":["a"]}]}"#, true),
            (r#"{"anyOf":[{"type":"object"},{"type":"null"}]}"#, false),
            (
                r##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"array"}}}"##,
                false,
            ),
            (
                r##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object"}}}"##,
                true,
            ),
            // It never says.
            (
                r##"{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}}}"##,
                true,
            ),
        ] {
            assert_eq!(is_objects(&raw(schema)), expected, "{schema}");
        }
    }

    #[test]
    fn definitions_stay_at_the_root() {
        let schema = raw(
            r##"{"$schema":"s","type":"array","$defs":{"a":{"type":"string"}},"items":{"$ref":"#/$defs/a"}}"##,
        );
        assert_eq!(
            wrapped(&schema).unwrap().get(),
            r##"{"type":"object","properties":{"value":{"type":"array","items":{"$ref":"#/$defs/a"}}},"required":["value"],"$defs":{"a":{"type":"string"}}}"##
        );
    }

    #[test]
    fn references_to_the_whole_lead_to_where_it_is_now() {
        for (schema, value) in [
            (
                r##"{"type":"array","items":{"$ref":"#"}}"##,
                r##"{"type":"array","items":{"$ref":"#/properties/value"}}"##,
            ),
            (
                r##"{"anyOf":[{"type":"string"},{"$ref":"#/anyOf/0"}]}"##,
                r##"{"anyOf":[{"type":"string"},{"$ref":"#/properties/value/anyOf/0"}]}"##,
            ),
            (
                r##"{"enum":[1],"not":{"$ref":"#anchor"},"if":{"$ref":"https://a.example/#"}}"##,
                r##"{"enum":[1],"not":{"$ref":"#anchor"},"if":{"$ref":"https://a.example/#"}}"##,
            ),
            (
                r##"{"type":"array","properties":{"$ref":{"$ref":"#"}}}"##,
                r##"{"type":"array","properties":{"$ref":{"$ref":"#/properties/value"}}}"##,
            ),
        ] {
            let wrapper = r#"{"type":"object","properties":{"value":VALUE},"required":["value"]}"#;
            let expected = wrapper.replace("VALUE", value);
            assert_eq!(wrapped(&raw(schema)).unwrap().get(), expected, "{schema}");
        }
        let schema = raw(
            r##"{"$ref":"#/definitions/a","definitions":{"a":{"type":"array","items":{"$ref":"#"}}}}"##,
        );
        assert_eq!(
            wrapped(&schema).unwrap().get(),
            r##"{"type":"object","properties":{"value":{"$ref":"#/definitions/a"}},"required":["value"],"definitions":{"a":{"type":"array","items":{"$ref":"#/properties/value"}}}}"##
        );
    }
}
