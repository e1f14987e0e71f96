//! The types that settings have: each is read and entered in its own way.

use std::collections::BTreeMap;

use bedrock_filter::catalog::{CrossRegion, ModelFamily};
use bedrock_filter::config::{Api, Guardrail, ModelIds, SignedBy, UnknownParameters};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::openapi::schema::{
    ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};

use super::Input;
use crate::channel::guardrail;
use crate::fault::Fault;
use crate::reader::{self, Choice};

/// A type of settings.
pub(super) trait SettingType: Sized {
    /// How a form enters its values.
    const INPUT: Input;

    /// Reads a value; `None` after adding a fault.
    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self>;

    /// What its values look like, for the API's document.
    fn schema() -> Schema;
}

impl SettingType for String {
    const INPUT: Input = Input::Text;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::text(raw, at, faults)
    }

    fn schema() -> Schema {
        one(Type::String)
    }
}

impl SettingType for Option<String> {
    const INPUT: Input = Input::Text;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::nullable_text(raw, at, faults)
    }

    fn schema() -> Schema {
        one(SchemaType::from_iter([Type::String, Type::Null]))
    }
}

impl SettingType for bool {
    const INPUT: Input = Input::Tick;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::boolean(raw, at, faults)
    }

    fn schema() -> Schema {
        one(Type::Boolean)
    }
}

impl SettingType for u32 {
    const INPUT: Input = Input::Number;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::number(raw, at, faults)
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .into()
    }
}

impl SettingType for Vec<String> {
    const INPUT: Input = Input::Lines;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::texts(raw, at, faults)
    }

    fn schema() -> Schema {
        ArrayBuilder::new()
            .items(Object::with_type(Type::String))
            .into()
    }
}

impl SettingType for Option<Guardrail> {
    const INPUT: Input = Input::Object;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        guardrail::read(raw, at, faults)
    }

    fn schema() -> Schema {
        guardrail::schema()
    }
}

impl SettingType for BTreeMap<String, String> {
    const INPUT: Input = Input::Map;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::string_map(raw, at, faults)
    }

    fn schema() -> Schema {
        map(one(Type::String))
    }
}

impl SettingType for BTreeMap<String, ModelFamily> {
    const INPUT: Input = Input::Map;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::enum_map(raw, at, "unknown_family", faults)
    }

    fn schema() -> Schema {
        map(words(ModelFamily::ALL))
    }
}

impl SettingType for BTreeMap<String, Api> {
    const INPUT: Input = Input::Map;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::enum_map(raw, at, "unknown_api", faults)
    }

    fn schema() -> Schema {
        map(words(Api::ALL))
    }
}

impl<T: Choice> SettingType for Option<T> {
    const INPUT: Input = Input::Text;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        match reader::nullable_text(raw, at, faults)? {
            None => Some(None),
            Some(word) => reader::of_word(&word, at, faults).map(Some),
        }
    }

    fn schema() -> Schema {
        let all = T::ALL
            .iter()
            .filter_map(|word| serde_json::to_value(word).ok());
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .enum_values(Some(all.chain([Value::from(""), Value::Null])))
            .into()
    }
}

impl<T: Choice> SettingType for T {
    const INPUT: Input = Input::Text;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::choice(raw, at, faults)
    }

    fn schema() -> Schema {
        words(T::ALL)
    }
}

fn one(schema_type: impl Into<SchemaType>) -> Schema {
    Object::with_type(schema_type).into()
}

/// One of a few words.
fn words<T: Serialize>(all: &[T]) -> Schema {
    let words = all
        .iter()
        .filter_map(|word| serde_json::to_value(word).ok());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .into()
}

/// A map, a text that holds one, or nothing.
fn map(values: Schema) -> Schema {
    let object = ObjectBuilder::new().additional_properties(Some(values));
    OneOfBuilder::new()
        .item(object)
        .item(one(Type::String))
        .item(one(Type::Null))
        .into()
}

impl Choice for SignedBy {
    const ALL: &'static [Self] = &[Self::Filter, Self::Envoy];
    const CLEARED: Option<Self> = Some(Self::Filter);
}

impl Choice for ModelIds {
    const ALL: &'static [Self] = &[Self::None, Self::Catalogue, Self::Any];
}

impl Choice for UnknownParameters {
    const ALL: &'static [Self] = &[Self::LeaveOut, Self::Refuse];
}

impl Choice for Api {
    const ALL: &'static [Self] = &[Self::Auto, Self::Invoke, Self::Converse];
    const CLEARED: Option<Self> = Some(Self::Auto);
}

impl Choice for CrossRegion {
    const ALL: &'static [Self] = &[Self::Off, Self::Geo, Self::Global];
}
