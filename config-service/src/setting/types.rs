//! The types that settings usually have, each read and entered in its own way.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::openapi::schema::{
    ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};

use super::Input;
use crate::fault::Fault;
use crate::reader::{self, Choice};

/// The type of a setting.
pub(crate) trait SettingType: Sized {
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

impl SettingType for Option<u32> {
    const INPUT: Input = Input::Number;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::nullable_number(raw, at, faults)
    }

    fn schema() -> Schema {
        number_or_null()
    }
}

impl SettingType for Option<u64> {
    const INPUT: Input = Input::Number;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::nullable_number(raw, at, faults)
    }

    fn schema() -> Schema {
        number_or_null()
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

impl SettingType for BTreeMap<String, String> {
    const INPUT: Input = Input::Map;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        reader::string_map(raw, at, faults)
    }

    fn schema() -> Schema {
        map(one(Type::String))
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

fn number_or_null() -> Schema {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
        .minimum(Some(0))
        .into()
}

/// One of a few words.
pub(crate) fn words<T: Serialize>(all: &[T]) -> Schema {
    let words = all
        .iter()
        .filter_map(|word| serde_json::to_value(word).ok());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .into()
}

/// A map, a string that contains one, or nothing.
pub(crate) fn map(values: Schema) -> Schema {
    let object = ObjectBuilder::new().additional_properties(Some(values));
    OneOfBuilder::new()
        .item(object)
        .item(one(Type::String))
        .item(one(Type::Null))
        .into()
}
