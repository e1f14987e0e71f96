//! What an object looks like, from all schemas that apply to it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::bedrock::shared::schema::{Members, compact, push_name, quoted};
use crate::json::Text;

/// Names in order, each once.
pub(super) struct Named<'a, T> {
    pub(super) list: Vec<(Text<'a>, T)>,
    places: BTreeMap<Text<'a>, usize>,
}

impl<'a, T: Default> Named<'a, T> {
    pub(super) fn contains(&self, name: &Text<'a>) -> bool {
        self.places.contains_key(name)
    }

    /// The value for a name; new names come last.
    pub(super) fn entry(&mut self, name: &Text<'a>) -> Option<&mut T> {
        let last = self.list.len();
        let place = *self.places.entry(name.clone()).or_insert(last);
        if place == last {
            self.list.push((name.clone(), T::default()));
        }
        self.list.get_mut(place).map(|(_, kept)| kept)
    }
}

impl<T> Default for Named<'_, T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

/// What an object looks like.
#[derive(Default)]
pub(super) struct Shape<'a> {
    /// Each one with all its schemas, from whichever alternatives.
    pub(super) properties: Named<'a, Vec<&'a RawValue>>,
    pub(super) required: Named<'a, ()>,
    /// Sentences about what the two do not express.
    pub(super) notes: Vec<String>,
}

impl<'a> Shape<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.properties.list.is_empty() && self.required.list.is_empty()
    }

    pub(super) fn add_property(&mut self, name: &Text<'a>, schema: &'a RawValue) {
        if let Some(schemas) = self.properties.entry(name)
            && !schemas.iter().any(|own| own.get() == schema.get())
        {
            schemas.push(schema);
        }
    }

    /// Adds another one's members, but not its requirements.
    pub(super) fn take(&mut self, other: Self) {
        for (name, schemas) in other.properties.list {
            for schema in schemas {
                self.add_property(&name, schema);
            }
        }
        self.notes.extend(other.notes);
    }

    /// The shape in a few words: `1. Circle (kind "circle", radius, optional: colour)`.
    pub(super) fn summary(&self, number: usize, name: Option<&str>) -> String {
        let properties = self.properties.list.iter();
        let (required, optional): (Vec<_>, Vec<_>) =
            properties.partition(|(own, _)| self.required.contains(own));
        let known = required.iter().map(|(name, schemas)| valued(name, schemas));
        let mut words: Vec<String> = known.collect();
        let elsewhere = self.required.list.iter();
        let elsewhere = elsewhere.filter(|(name, ())| !self.properties.contains(name));
        words.extend(elsewhere.map(|(name, ())| name.to_string()));
        if !optional.is_empty() {
            let optional = optional.iter().map(|(name, schemas)| valued(name, schemas));
            let optional: Vec<String> = optional.collect();
            words.push(format!("optional: {}", optional.join(", ")));
        }
        let name = name.map(|name| format!("{} ", name.trim_end_matches('.')));
        format!(
            "{number}. {}({})",
            name.unwrap_or_default(),
            words.join(", ")
        )
    }

    pub(super) fn write(&self, out: &mut String) {
        out.push_str(r#","properties":{"#);
        for (name, schemas) in &self.properties.list {
            push_name(out, name);
            let schemas: Vec<&str> = schemas.iter().map(|schema| schema.get()).collect();
            match schemas.as_slice() {
                [schema] => out.push_str(schema),
                several => out.extend([r#"{"anyOf":["#, &several.join(","), "]}"]),
            }
        }
        out.push('}');
        if !self.required.list.is_empty() {
            let names = self.required.list.iter().map(|(name, ())| quoted(name));
            let names: Vec<String> = names.collect();
            out.extend([r#","required":["#, &names.join(","), "]"]);
        }
    }
}

/// A property's name, with its value if it can have only one.
fn valued(name: &str, schemas: &[&RawValue]) -> String {
    let fixed = match schemas {
        [schema] => Members::of(schema).get("const"),
        _ => None,
    };
    fixed.map_or_else(
        || name.to_owned(),
        |value| format!("{name} {}", compact(value)),
    )
}
