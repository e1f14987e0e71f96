//! The subset of JSON schema that structured output takes: closed objects without bounds.
//!
//! What it lacks is told in descriptions. A schema that would mean something else then has no such form,
//! and its answers are better kept to it by a tool.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::{DEFINITIONS, Definitions, MAX_DEPTH, Members, compact, push_name, quoted};
use crate::json::Text;

/// Keywords that are taken as they are.
const KEPT: [&str; 7] = [
    "$ref", "const", "default", "enum", "required", "title", "type",
];

/// Keywords that say nothing about values.
const SILENT: [&str; 6] = [
    "$anchor",
    "$comment",
    "$id",
    "$schema",
    "$vocabulary",
    "deprecated",
];

/// Keywords without which a schema means something else.
const STRUCTURAL: [&str; 13] = [
    "$dynamicRef",
    "additionalItems",
    "allOf",
    "contains",
    "dependencies",
    "dependentSchemas",
    "else",
    "if",
    "not",
    "patternProperties",
    "prefixItems",
    "then",
    "unevaluatedItems",
];

/// Most schemas that others may refer to.
const MAX_DEFINITIONS: usize = 256;

/// The schema of an object in the subset; none where it has no such form.
pub(in crate::bedrock) fn in_subset<'a>(schema: &Cow<'a, RawValue>) -> Option<Cow<'a, RawValue>> {
    match schema {
        Cow::Borrowed(schema) => subset(schema),
        Cow::Owned(schema) => subset(schema).map(|schema| Cow::Owned(schema.into_owned())),
    }
}

/// A schema that a model is to keep to exactly, and whether it can be: one that has no form in the
/// subset stays as it is.
pub(in crate::bedrock) fn held(
    schema: Cow<'_, RawValue>,
    is_strict: bool,
) -> (Cow<'_, RawValue>, bool) {
    let strict = Some(&schema).filter(|_| is_strict).and_then(in_subset);
    let is_held = strict.is_some();
    (strict.unwrap_or(schema), is_held)
}

fn subset(schema: &RawValue) -> Option<Cow<'_, RawValue>> {
    let root = Members::of(schema);
    let mut writer = Writer {
        definitions: Definitions::of(&root),
        references: Vec::new(),
        within: None,
        out: String::with_capacity(schema.get().len()),
    };
    writer.schema(&root, 0)?;
    if has_circle(writer.references) {
        return None;
    }
    if writer.out == compact(schema) {
        return Some(Cow::Borrowed(schema));
    }
    RawValue::from_string(writer.out).ok().map(Cow::Owned)
}

/// Writes a schema down in the subset, and gives up on what has no form in it.
struct Writer<'a> {
    definitions: Definitions<'a>,
    /// Which definition refers to which.
    references: Vec<(Text<'a>, &'a str)>,
    /// The definition that is being written.
    within: Option<Text<'a>>,
    out: String,
}

impl<'a> Writer<'a> {
    fn value(&mut self, schema: &'a RawValue, depth: usize) -> Option<()> {
        if depth >= MAX_DEPTH || !schema.get().starts_with('{') {
            return None;
        }
        self.schema(&Members::of(schema), depth)
    }

    fn schema(&mut self, members: &Members<'a>, depth: usize) -> Option<()> {
        if let Some(merged) = without_all_of_one(members) {
            return if depth < MAX_DEPTH {
                self.schema(&merged, depth + 1)
            } else {
                None
            };
        }
        self.refuse(members)?;
        let untold = members.0.iter().filter(|(name, _)| !is_known(name));
        let untold: Vec<String> = untold
            .map(|(name, value)| format!("{}: {}", &**name, compact(value)))
            .collect();
        let mut description = description(members.text("description").as_deref(), &untold);
        let start = self.out.len();
        for (name, value) in &members.0 {
            self.member(name, value, (&mut description, start), depth)?;
        }
        if let Some(text) = description {
            self.name("description", start);
            self.out.push_str(&quoted(&text));
        }
        if is_object(members) {
            self.name("additionalProperties", start);
            self.out.push_str("false");
        }
        self.out
            .push_str(if self.out.len() == start { "{}" } else { "}" });
        Some(())
    }

    fn member(
        &mut self,
        name: &Text<'a>,
        value: &'a RawValue,
        (description, start): (&mut Option<String>, usize),
        depth: usize,
    ) -> Option<()> {
        match &**name {
            "description" => {
                if let Some(text) = description.take() {
                    self.name("description", start);
                    self.out.push_str(&quoted(&text));
                }
            }
            "properties" => {
                self.name("properties", start);
                self.map(value, false, depth)?;
            }
            own if DEFINITIONS.contains(&own) => {
                self.name(own, start);
                self.map(value, depth == 0, depth)?;
            }
            "items" => {
                self.name("items", start);
                self.value(value, depth + 1)?;
            }
            "anyOf" | "oneOf" => {
                self.name("anyOf", start);
                self.list(value, depth)?;
            }
            own if KEPT.contains(&own) => {
                self.name(own, start);
                self.out.push_str(&compact(value));
            }
            _ => {}
        }
        Some(())
    }

    /// Writes the name of a member of the object that begins at `start`.
    fn name(&mut self, name: &str, start: usize) {
        let is_first = self.out.len() == start;
        if is_first {
            self.out.push('{');
        }
        push_name(&mut self.out, is_first, name);
    }

    /// Gives up on schemas that cannot be closed, and on those of which too little would be left.
    fn refuse(&mut self, members: &Members<'a>) -> Option<()> {
        let has = |name: &&str| members.get(name).is_some();
        if STRUCTURAL.iter().any(has) || has(&"anyOf") && has(&"oneOf") {
            return None;
        }
        if has(&"$ref") {
            let (target, _) = self.definitions.target(members)?;
            let within = self.within.clone();
            self.references.extend(within.map(|own| (own, target)));
        }
        if is_object(members) {
            return is_closable(members).then_some(());
        }
        let kind = members.get("type").map_or("", RawValue::get);
        let is_unknown = kind.contains("\"array\"") && !has(&"items");
        let says = ["type", "enum", "const", "$ref", "anyOf", "oneOf"]
            .iter()
            .any(has);
        (says && !is_unknown).then_some(())
    }

    /// Named schemas: properties, or definitions.
    fn map(&mut self, schemas: &'a RawValue, are_definitions: bool, depth: usize) -> Option<()> {
        let schemas = Members::of(schemas);
        if are_definitions && schemas.0.len() > MAX_DEFINITIONS {
            return None;
        }
        self.out.push('{');
        for (index, (name, schema)) in schemas.0.iter().enumerate() {
            push_name(&mut self.out, index == 0, name);
            if are_definitions {
                self.within = Some(name.clone());
            }
            self.value(schema, depth + 1)?;
        }
        if are_definitions {
            self.within = None;
        }
        self.out.push('}');
        Some(())
    }

    fn list(&mut self, schemas: &'a RawValue, depth: usize) -> Option<()> {
        let schemas: Vec<&'a RawValue> = serde_json::from_str(schemas.get()).ok()?;
        self.out.push('[');
        for (index, schema) in schemas.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(schema, depth + 1)?;
        }
        self.out.push(']');
        Some(())
    }
}

/// Whether a keyword has a place in the subset, or needs none.
fn is_known(name: &str) -> bool {
    let written = [
        "additionalProperties",
        "anyOf",
        "description",
        "items",
        "oneOf",
        "properties",
    ];
    let lists: [&[&str]; 4] = [&written, &KEPT, &SILENT, &DEFINITIONS];
    lists.iter().any(|list| list.contains(&name))
}

fn is_object(members: &Members<'_>) -> bool {
    let kind = members.get("type").map_or("", RawValue::get);
    kind.contains("\"object\"") || members.get("properties").is_some()
}

/// Whether an object means the same when it may have no other properties. One whose names are not
/// known beforehand could hold nothing of what is meant.
fn is_closable(members: &Members<'_>) -> bool {
    let others = members.get("additionalProperties").map(compact);
    let properties = members.get("properties").map(Members::of);
    let has_properties = properties.is_some_and(|properties| !properties.0.is_empty());
    match others.as_deref() {
        Some("false") => true,
        None | Some("true" | "{}") => has_properties,
        Some(_) => false,
    }
}

/// The schema itself where it says that one schema applies with it, which some generators write for
/// a reference with a description.
fn without_all_of_one<'a>(members: &Members<'a>) -> Option<Members<'a>> {
    let all: Vec<&'a RawValue> = serde_json::from_str(members.get("allOf")?.get()).ok()?;
    let [only] = all.as_slice() else {
        return None;
    };
    let own = members.0.iter().filter(|(name, _)| &**name != "allOf");
    let mut merged = Members(own.cloned().collect());
    for (name, value) in Members::of(only).0 {
        if merged.get(&name).is_none() {
            merged.0.push((name, value));
        }
    }
    Some(merged)
}

/// The description with what the schema itself says no more.
fn description(own: Option<&str>, untold: &[String]) -> Option<String> {
    let untold = untold.join(", ");
    match own {
        Some(own) if untold.is_empty() => Some(own.to_owned()),
        Some(own) if !own.trim().is_empty() => Some(format!("{own} ({untold})")),
        _ => Some(untold).filter(|untold| !untold.is_empty()),
    }
}

/// Whether some definition contains itself: what leads nowhere is taken away until nothing changes.
fn has_circle(mut references: Vec<(Text<'_>, &str)>) -> bool {
    loop {
        let sources: BTreeSet<String> = references
            .iter()
            .map(|(from, _)| from.to_string())
            .collect();
        let before = references.len();
        references.retain(|(_, to)| sources.contains(*to));
        if references.len() == before {
            return before > 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subset_of(schema: &str) -> Option<String> {
        let schema = RawValue::from_string(schema.to_owned()).unwrap();
        subset(&schema).map(|schema| schema.get().to_owned())
    }

    #[track_caller]
    fn check(property: &str, expected: &str) {
        let schema = format!(r#"{{"type":"object","properties":{{"p":{property}}}}}"#);
        let expected = format!(
            r#"{{"type":"object","properties":{{"p":{expected}}},"additionalProperties":false}}"#
        );
        assert_eq!(subset_of(&schema), Some(expected), "{property}");
    }

    #[test]
    fn what_is_in_the_subset_stays_as_it_is() {
        let schema = r##"{ "$defs": {"A": {"type": "object", "properties": {"a": {"enum": [1, null]}}, "additionalProperties": false}},
            "type": "object", "properties": {"x": {"$ref": "#/$defs/A", "description": "d"}, "y": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            "required": ["x"], "additionalProperties": false }"##;
        assert_eq!(subset_of(schema).as_deref(), Some(schema));
    }

    #[test]
    fn bounds_and_formats_are_told_in_descriptions() {
        check(
            r#"{"type":"integer","description":"Age.","minimum":0,"maximum":150}"#,
            r#"{"type":"integer","description":"Age. (minimum: 0, maximum: 150)"}"#,
        );
        check(
            r#"{"type":"string","format":"date-time","pattern":"^\"a"}"#,
            r#"{"type":"string","description":"format: \"date-time\", pattern: \"^\\\"a\""}"#,
        );
        check(
            r#"{"items":{"type":"string","maxLength":3},"type":"array","minItems":1}"#,
            r#"{"items":{"type":"string","description":"maxLength: 3"},"type":"array","description":"minItems: 1"}"#,
        );
    }

    #[test]
    fn objects_are_closed_at_every_depth() {
        check(
            r#"{"type":["object","null"],"properties":{"a":{"type":"object","properties":{"b":{"type":"null"}}}},"additionalProperties":true}"#,
            r#"{"type":["object","null"],"properties":{"a":{"type":"object","properties":{"b":{"type":"null"}},"additionalProperties":false}},"additionalProperties":false}"#,
        );
    }

    #[test]
    fn alternatives_have_one_keyword() {
        check(
            r#"{"oneOf":[{"type":"string"},{"type":"number","exclusiveMinimum":0}]}"#,
            r#"{"anyOf":[{"type":"string"},{"type":"number","description":"exclusiveMinimum: 0"}]}"#,
        );
        check(
            r#"{"description":"d","allOf":[{"type":"string","title":"T","description":"its"}]}"#,
            r#"{"description":"d","type":"string","title":"T"}"#,
        );
    }

    #[test]
    fn what_would_mean_something_else_has_no_form() {
        for property in [
            "{}",
            "true",
            r#"{"description":"anything"}"#,
            r#"{"type":"object"}"#,
            r#"{"type":"object","additionalProperties":{"type":"integer"}}"#,
            r#"{"type":"object","properties":{},"additionalProperties":true}"#,
            r#"{"type":"array"}"#,
            r#"{"type":"array","prefixItems":[{"type":"string"}]}"#,
            r#"{"type":"string","not":{"const":"a"}}"#,
            r#"{"allOf":[{"type":"string"},{"minLength":1}]}"#,
            r##"{"$ref":"https://example.com/a"}"##,
            r##"{"$ref":"#"}"##,
        ] {
            let schema = format!(r#"{{"type":"object","properties":{{"p":{property}}}}}"#);
            assert_eq!(subset_of(&schema), None, "{property}");
        }
        let node = r##"{"type":"object","properties":{"n":{"$ref":"#/$defs/N"}},"$defs":{"N":{"type":"object","properties":{"m":{"$ref":"#/$defs/M"}}},"M":{"anyOf":[{"$ref":"#/$defs/N"},{"type":"null"}]}}}"##;
        assert_eq!(subset_of(node), None);
    }

    #[test]
    fn any_nesting_is_survived() {
        let schema = [&r#"{"allOf":["#.repeat(3_000), "{}", &"]}".repeat(3_000)].concat();
        let deep = format!(r#"{{"type":"object","properties":{{"p":{schema}}}}}"#);
        // serde_json itself stops at a depth.
        assert_eq!(subset_of(&deep), None);
    }
}
