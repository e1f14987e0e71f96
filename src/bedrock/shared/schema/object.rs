//! Turns any schema of a tool's arguments into an object's.
//!
//! Clients write unions and references where Bedrock wants a plain object: models refuse the whole request because of
//! one tool whose schema has `anyOf`, `oneOf` or `allOf` at the top level.

mod shape;

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Definitions, MAX_DEPTH, Members, compact, owned, push_name};
use crate::chat::Error;
use crate::json::{Text, without_halves};
use shape::Shape;

/// Keywords whose schemas apply in addition to the rest of the schema.
pub(super) const ALL: &str = "allOf";
/// Keywords of whose schemas one applies.
pub(super) const ALTERNATIVES: [&str; 2] = ["anyOf", "oneOf"];

/// How many schemas of one tool are read, including alternatives and their references.
pub(super) const MAX_SCHEMAS: usize = 256;

/// A schema that is an object's.
#[derive(Debug)]
pub(in crate::bedrock) struct Object<'a> {
    pub(in crate::bedrock) schema: Cow<'a, RawValue>,
    /// What it no longer says: which properties belong together. For the tool's description.
    pub(in crate::bedrock) note: Option<String>,
}

impl Object<'_> {
    fn into_owned<'o>(self) -> Object<'o> {
        Object {
            schema: Cow::Owned(self.schema.into_owned()),
            note: self.note,
        }
    }
}

/// The schema as an object's: with `"type": "object"`, and with the properties of its alternatives as its own.
///
/// # Errors
///
/// Never for a JSON object.
pub(in crate::bedrock) fn object(schema: &RawValue) -> Result<Object<'_>, Error> {
    if let Some(repaired) = without_halves(schema.get()) {
        return object(&owned(repaired)?).map(Object::into_owned);
    }
    let members = Members::of(schema);
    if members.0.iter().any(|(name, _)| is_combined(name)) {
        return merged(&members);
    }
    let schema = match members.get("type").map(RawValue::get) {
        None => with_type(schema)?,
        Some(kind) if kind.starts_with('"') => Cow::Borrowed(schema),
        // `null`, or `object` and other types.
        Some(_) => owned(rewritten(&members, None))?,
    };
    Ok(Object { schema, note: None })
}

fn is_combined(name: &str) -> bool {
    name == ALL || name == "$ref" || ALTERNATIVES.contains(&name)
}

/// The same text, with the type before everything else.
fn with_type(schema: &RawValue) -> Result<Cow<'_, RawValue>, Error> {
    match schema.get().strip_prefix('{') {
        Some(rest) if rest.trim() == "}" => owned(r#"{"type":"object"}"#.to_owned()),
        Some(rest) => owned(format!(r#"{{"type":"object",{}"#, rest.trim_start())),
        None => Ok(Cow::Borrowed(schema)),
    }
}

fn merged<'a>(members: &Members<'a>) -> Result<Object<'a>, Error> {
    let mut reader = Reader {
        definitions: Definitions::of(members),
        left: MAX_SCHEMAS,
    };
    let shape = reader.shape(members, 0);
    let schema = owned(rewritten(members, Some(&shape)))?;
    let note = (!shape.notes.is_empty()).then(|| shape.notes.join(" "));
    Ok(Object { schema, note })
}

/// The schema with the type first, and with the properties of `shape` in place of its own.
fn rewritten(members: &Members<'_>, shape: Option<&Shape<'_>>) -> String {
    let mut out = r#"{"type":"object""#.to_owned();
    if let Some(shape) = shape {
        shape.write(&mut out);
    }
    let replaced = |name: &str| {
        name == "type"
            || shape.is_some() && (is_combined(name) || matches!(name, "properties" | "required"))
    };
    for (name, value) in members.0.iter().filter(|(name, _)| !replaced(name)) {
        push_name(&mut out, name);
        out.push_str(value.get());
    }
    out.push('}');
    out
}

/// Reads shapes.
struct Reader<'a> {
    definitions: Definitions<'a>,
    /// How many more schemas are read: a few that refer to each other would not fit into memory.
    left: usize,
}

impl<'a> Reader<'a> {
    fn shape(&mut self, members: &Members<'a>, depth: usize) -> Shape<'a> {
        let mut shape = Shape::default();
        let properties = members.get("properties").map(Members::of);
        for (name, schema) in properties.unwrap_or_default().0 {
            shape.add_property(&name, schema);
        }
        for name in texts(members.get("required")) {
            shape.required.entry(&name);
        }
        if depth >= MAX_DEPTH || self.left == 0 {
            return shape;
        }
        self.left -= 1;
        let referred = self.definitions.target(members);
        let referred = referred.map(|(_, target)| target);
        for schema in referred.into_iter().chain(list(members, ALL)) {
            let own = self.shape(&Members::of(schema), depth + 1);
            for (name, ()) in &own.required.list {
                shape.required.entry(name);
            }
            shape.take(own);
        }
        for keyword in ALTERNATIVES {
            self.add_alternatives(&mut shape, &list(members, keyword), depth);
        }
        shape
    }

    /// Adds alternatives: all properties of any of them, and as required those that all of them require.
    fn add_alternatives(
        &mut self,
        shape: &mut Shape<'a>,
        alternatives: &[&'a RawValue],
        depth: usize,
    ) {
        if alternatives.is_empty() {
            return;
        }
        let mut shapes = Vec::with_capacity(alternatives.len());
        for schema in alternatives {
            let members = Members::of(schema);
            let own = self.shape(&members, depth + 1);
            let name = members
                .text("title")
                .or_else(|| members.text("description"));
            if !own.is_empty() {
                shapes.push((name, own));
            }
        }
        let Some((_, first)) = shapes.first() else {
            let schemas: Vec<String> = alternatives.iter().map(|schema| compact(schema)).collect();
            let note = format!(
                "What is given fits one of these schemas: {}.",
                schemas.join(", ")
            );
            shape.notes.push(note);
            return;
        };
        for (name, ()) in &first.required.list {
            if shapes.iter().all(|(_, own)| own.required.contains(name)) {
                shape.required.entry(name);
            }
        }
        if shapes.len() > 1 {
            let told = shapes.iter().enumerate();
            let told: Vec<String> = told
                .map(|(at, (name, own))| own.summary(at + 1, name.as_deref()))
                .collect();
            shape.notes.push(format!(
                "Give one of these sets of properties: {}.",
                told.join("; ")
            ));
        }
        for (_, own) in shapes {
            shape.take(own);
        }
    }
}

pub(super) fn list<'a>(members: &Members<'a>, keyword: &str) -> Vec<&'a RawValue> {
    let list = members.get(keyword);
    list.and_then(|list| serde_json::from_str(list.get()).ok())
        .unwrap_or_default()
}

fn texts(list: Option<&RawValue>) -> Vec<Text<'_>> {
    list.and_then(|list| serde_json::from_str(list.get()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schema: &str, expected: &str, note: &str) {
        let schema = RawValue::from_string(schema.to_owned()).unwrap();
        let object = object(&schema).unwrap();
        assert_eq!(object.schema.get(), expected);
        assert_eq!(object.note.unwrap_or_default(), note);
    }

    #[test]
    fn a_plain_object_stays_as_it_is() {
        for schema in [
            r#"{ "type": "object", "properties": {"a": {"anyOf": []}} }"#,
            r#"{"properties":{},"type":"object"}"#,
        ] {
            check(schema, schema, "");
        }
    }

    #[test]
    fn the_type_is_an_objects() {
        check("{}", r#"{"type":"object"}"#, "");
        check(
            r#"{ "properties":{}}"#,
            r#"{"type":"object","properties":{}}"#,
            "",
        );
        for kind in [r#"["object","null"]"#, "null"] {
            let schema = format!(r#"{{"title":"T","type":{kind},"required":["a"]}}"#);
            check(
                &schema,
                r#"{"type":"object","title":"T","required":["a"]}"#,
                "",
            );
        }
    }

    #[test]
    fn alternatives_are_merged_and_described() {
        check(
            r#"{"type":"object","properties":{"unit":{"type":"string"}},"anyOf":[
                {"title":"By name","properties":{"city":{"type":"string"}},"required":["city"]},
                {"properties":{"lat":{"type":"number"},"lon":{"type":"number"}},"required":["lat"]}]}"#,
            r#"{"type":"object","properties":{"unit":{"type":"string"},"city":{"type":"string"},"lat":{"type":"number"},"lon":{"type":"number"}}}"#,
            "Give one of these sets of properties: 1. By name (city); 2. (lat, optional: lon).",
        );
    }

    #[test]
    fn what_all_alternatives_require_is_required() {
        check(
            r#"{"oneOf":[
                {"properties":{"kind":{"const":"a"},"x":{"type":"string"}},"required":["kind","x"]},
                {"properties":{"kind":{"const":"b"},"x":{"type":"string"}},"required":["kind"]}]}"#,
            r#"{"type":"object","properties":{"kind":{"anyOf":[{"const":"a"},{"const":"b"}]},"x":{"type":"string"}},"required":["kind"]}"#,
            "Give one of these sets of properties: 1. (kind \"a\", x); 2. (kind \"b\", optional: x).",
        );
        check(
            r#"{"properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#,
            r#"{"type":"object","properties":{"a":{},"b":{}}}"#,
            "Give one of these sets of properties: 1. (a); 2. (b).",
        );
    }

    #[test]
    fn what_applies_together_is_one_object() {
        check(
            r##"{"allOf":[{"$ref":"#/$defs/A"},{"properties":{"b":{}},"required":["b"]}],"$defs":{"A":{"properties":{"a":{}},"required":["a"]}}}"##,
            r##"{"type":"object","properties":{"a":{},"b":{}},"required":["a","b"],"$defs":{"A":{"properties":{"a":{}},"required":["a"]}}}"##,
            "",
        );
        check(
            r##"{"$ref":"#/definitions/A","definitions":{"A":{"type":"object","properties":{"next":{"$ref":"#/definitions/A"}}}}}"##,
            r##"{"type":"object","properties":{"next":{"$ref":"#/definitions/A"}},"definitions":{"A":{"type":"object","properties":{"next":{"$ref":"#/definitions/A"}}}}}"##,
            "",
        );
    }

    #[test]
    fn alternatives_that_are_not_objects_are_described_unchanged() {
        check(
            r#"{"anyOf":[{"type":"string"},{"type": "null"}]}"#,
            r#"{"type":"object","properties":{}}"#,
            r#"What is given fits one of these schemas: {"type":"string"}, {"type":"null"}."#,
        );
        check(
            r#"{"anyOf":[{"properties":{"a":{}}},{"type":"null"}]}"#,
            r#"{"type":"object","properties":{"a":{}}}"#,
            "",
        );
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let schema = r##"{"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/A"}]}}}"##;
        let schema = RawValue::from_string(schema.to_owned()).unwrap();
        assert!(object(&schema).unwrap().schema.get().len() < 200);
    }
}
