//! JSON of any shape, and changes to good JSON.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::vocabulary::{TEXTS, WORDS};

/// Any JSON, biased towards what our types know.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        select(vec![0_i64, 1, -1, 16, 4096, i64::MAX, i64::MIN]).prop_map(|n| json!(n)),
        select(vec![0.0, 0.5, -0.5, 1.7, 1e300, f64::MIN_POSITIVE]).prop_map(|n| json!(n)),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => number,
        3 => any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let object = prop::collection::vec((any_key(), inner), 0..5)
            .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>()));
        prop_oneof![1 => list, 2 => object]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(WORDS).prop_map(str::to_owned),
        select(TEXTS).prop_map(str::to_owned),
        ".{0,8}",
    ]
}

pub(super) fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(WORDS).prop_map(str::to_owned), 1 => ".{0,4}"]
}

/// One change to a JSON document.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Replace(Index, Value),
    /// Adds a field to an object or an element to a list.
    Add(Index, String, Value),
    /// Removes a field of an object or an element of a list.
    Remove(Index, Index),
}

pub(super) fn any_edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        (any::<Index>(), any_json()).prop_map(|(at, value)| Edit::Replace(at, value)),
        (any::<Index>(), any_key(), any_json()).prop_map(|(at, key, v)| Edit::Add(at, key, v)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, child)| Edit::Remove(at, child)),
    ];
    prop::collection::vec(edit, 1..4)
}

impl Edit {
    pub(super) fn apply(&self, document: &mut Value) {
        let (Self::Replace(at, _) | Self::Add(at, ..) | Self::Remove(at, _)) = self;
        let mut places = vec![String::new()];
        collect_places(document, "", &mut places);
        let place: &String = at.get(&places);
        let place = document.pointer_mut(place).unwrap();
        match (self, place) {
            (Self::Replace(_, value), place) => *place = value.clone(),
            (Self::Add(_, key, value), Value::Object(fields)) => {
                fields.insert(key.clone(), value.clone());
            }
            (Self::Add(_, _, value), Value::Array(list)) => list.push(value.clone()),
            (Self::Remove(_, child), Value::Object(fields)) if !fields.is_empty() => {
                let keys: Vec<_> = fields.keys().cloned().collect();
                fields.remove(child.get(&keys));
            }
            (Self::Remove(_, child), Value::Array(list)) if !list.is_empty() => {
                list.remove(child.index(list.len()));
            }
            _ => {}
        }
    }
}

/// JSON pointers of everything inside a value.
fn collect_places(value: &Value, prefix: &str, places: &mut Vec<String>) {
    let children: Vec<_> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, child)| (key.replace('~', "~0").replace('/', "~1"), child))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, child)| (index.to_string(), child))
            .collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        let place = format!("{prefix}/{key}");
        collect_places(child, &place, places);
        places.push(place);
    }
}
