//! The subset of JSON Schema that structured output supports: closed objects without bounds.
//!
//! Descriptions say what the subset cannot express. A schema whose meaning would change has no form in the subset; a
//! tool is a better way to keep answers to it.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::{DEFINITIONS, Definitions, MAX_DEPTH, Members, compact, push_name, quoted};
use crate::json::Text;

/// Keywords that are kept.
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

/// Keywords without which a schema has another meaning.
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

/// The schema of an object in the subset; `None` if it has no form there.
pub(in crate::bedrock) fn in_subset<'a>(schema: &Cow<'a, RawValue>) -> Option<Cow<'a, RawValue>> {
    match schema {
        Cow::Borrowed(schema) => subset(schema),
        Cow::Owned(schema) => subset(schema).map(|schema| Cow::Owned(schema.into_owned())),
    }
}

/// A schema that a model is to keep to exactly, and whether it can: one that has no form in the subset stays
/// unchanged.
pub(in crate::bedrock) fn held(schema: Cow<'_, RawValue>) -> (Cow<'_, RawValue>, bool) {
    match in_subset(&schema) {
        Some(strict) => (strict, true),
        None => (schema, false),
    }
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

/// What the names of schemas stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Properties,
    Definitions,
}

/// Writes a schema in the subset, and gives up on one that has no form there.
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
                self.map(value, Names::Properties, depth)?;
            }
            own if DEFINITIONS.contains(&own) => {
                self.name(own, start);
                let names = match depth {
                    0 => Names::Definitions,
                    _ => Names::Properties,
                };
                self.map(value, names, depth)?;
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
        if self.out.len() == start {
            self.out.push('{');
        }
        push_name(&mut self.out, name);
    }

    /// Gives up on schemas that cannot be closed, and on those that would lose too much.
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

    /// Schemas with names.
    fn map(&mut self, schemas: &'a RawValue, names: Names, depth: usize) -> Option<()> {
        let schemas = Members::of(schemas);
        let are_definitions = names == Names::Definitions;
        if are_definitions && schemas.0.len() > MAX_DEFINITIONS {
            return None;
        }
        self.out.push('{');
        for (name, schema) in &schemas.0 {
            push_name(&mut self.out, name);
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

/// Whether a keyword is allowed in the subset, or can be left out.
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

/// Whether an object still means the same if other properties are forbidden. One whose names are not known beforehand
/// could no longer contain anything.
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

/// The schema itself if it only says that one other schema applies, which some generators write for a reference with
/// a description.
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

/// The description, with what the schema no longer says.
fn description(own: Option<&str>, untold: &[String]) -> Option<String> {
    let untold = untold.join(", ");
    match own {
        Some(own) if untold.is_empty() => Some(own.to_owned()),
        Some(own) if !own.trim().is_empty() => Some(format!("{own} ({untold})")),
        _ => Some(untold).filter(|untold| !untold.is_empty()),
    }
}

/// Whether some definition contains itself: definitions that lead nowhere are removed until nothing changes.
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
mod tests;
