//! The effective content of schemas: references resolved, compositions merged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Other statements that a schema can make about a value.
const FACTS: [&str; 6] = [
    "default", "format", "maxItems", "maximum", "minimum", "pattern",
];

/// What a schema says, over all alternatives.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// JSON types.
    pub(super) kinds: BTreeSet<String>,
    /// The only permitted values.
    pub(super) words: Vec<Value>,
    /// Schemas by the name of the member.
    pub(super) members: BTreeMap<String, Vec<Value>>,
    pub(super) required: BTreeSet<String>,
    pub(super) items: Vec<Value>,
    pub(super) facts: Vec<(&'static str, Value)>,
}

impl Shape {
    pub(super) fn of(schema: &Value, document: &Value) -> Self {
        let mut shape = Self::default();
        shape.add(schema, document);
        shape
    }

    fn add(&mut self, schema: &Value, document: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap();
            return self.add(document.pointer(pointer).unwrap(), document);
        }
        let kinds = match &schema["type"] {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        self.kinds
            .extend(kinds.iter().filter_map(Value::as_str).map(str::to_owned));
        for word in schema["enum"].as_array().into_iter().flatten() {
            match word {
                Value::Null => _ = self.kinds.insert("null".to_owned()),
                word => self.words.push(word.clone()),
            }
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let known = self.members.entry(name.clone()).or_default();
            known.push(member.clone());
        }
        let required = schema["required"].as_array().into_iter().flatten();
        self.required
            .extend(required.map(|name| name.as_str().unwrap().to_owned()));
        self.items.extend(schema.get("items").cloned());
        let facts = FACTS.iter().map(|fact| (*fact, schema[*fact].clone()));
        self.facts
            .extend(facts.filter(|(_, value)| !value.is_null()));
        for parts in ["allOf", "oneOf", "anyOf"] {
            for part in schema[parts].as_array().into_iter().flatten() {
                self.add(part, document);
            }
        }
    }
}
